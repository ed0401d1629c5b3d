"""Planted faults of the richer rules: values, stays, texts, repetitions (see `gate_faults`).

A second row of a fact is told by the staged row of the first, so that the accounts still add up.
"""

from __future__ import annotations

from gate_faults import OF_PERSON, Fault

OF_MEASUREMENT = {"measurement": 1, "observation": 1}
# 194997 is in DQD's list of conditions of men; 8554 is percent, which glucose is not told in.
CONCEPTS = """INSERT INTO cdm.concept BY NAME SELECT col0 AS concept_id, col1 AS domain_id,
    'S' AS standard_concept FROM (VALUES (194997, 'Condition'), (8554, 'Unit'),
    (4000001, 'Condition'));"""
SECOND_STAY = """INSERT INTO cdm.visit_occurrence SELECT * REPLACE (1101 AS visit_occurrence_id,
    DATE '{start}' AS visit_start_date, DATE '2024-01-12' AS visit_end_date)
    FROM cdm.visit_occurrence WHERE visit_occurrence_id = 1001;
    INSERT INTO etl.lineage VALUES
    ('visit_occurrence', 1101, 'clinical-1', 'visit_occurrence-1001', 'source');"""

ODDITIES = (
    Fault(
        "datetime_of_the_next_day",
        """UPDATE cdm.measurement SET measurement_datetime = TIMESTAMP '2024-01-04 00:10:00'
        WHERE measurement_id = 6001""",
        {"same_day.measurement.measurement_date": 1},
        OF_MEASUREMENT,
    ),
    Fault(
        "note_the_day_after_the_period",
        "UPDATE cdm.note SET note_date = DATE '2024-03-06' WHERE note_id = 8001",
        {"observed_then.note.note_date": 1, "within_visit.note.note_date": 1},
    ),
    Fault(
        "note_on_the_last_day_of_the_period",
        "UPDATE cdm.note SET note_date = DATE '2024-03-05' WHERE note_id = 8001",
        {"within_visit.note.note_date": 1},
    ),
    Fault(
        "stay_of_three_years_and_two_days",
        """UPDATE cdm.visit_occurrence SET visit_start_date = DATE '2021-01-03'
        WHERE visit_occurrence_id = 1001""",
        {"stay_length": 1, "observed_then.visit_occurrence.visit_start_date": 1},
    ),
    Fault(
        "stay_of_three_years_and_a_day",
        """UPDATE cdm.visit_occurrence SET visit_start_date = DATE '2021-01-04'
        WHERE visit_occurrence_id = 1001""",
        {"observed_then.visit_occurrence.visit_start_date": 1},
    ),
    Fault(
        "stay_before_the_other_ends", SECOND_STAY.format(start="2024-01-04"), {"stay_overlap": 1}
    ),
    Fault("stay_on_the_day_the_other_ends", SECOND_STAY.format(start="2024-01-05"), {}),
    Fault(
        "period_within_another",
        """INSERT INTO cdm.observation_period SELECT * REPLACE (9101 AS observation_period_id,
        DATE '2024-02-01' AS observation_period_start_date) FROM cdm.observation_period
        WHERE person_id = 1""",
        {"period_overlap": 1},
        {"observation_period": 1},
        blocks=True,
    ),
    Fault(
        "procedure_told_twice",
        """INSERT INTO cdm.procedure_occurrence SELECT * REPLACE (4101 AS procedure_occurrence_id)
        FROM cdm.procedure_occurrence WHERE procedure_occurrence_id = 4001;
        INSERT INTO etl.lineage VALUES
        ('procedure_occurrence', 4101, 'clinical-1', 'procedure_occurrence-4001', 'source')""",
        {"repeated.procedure_occurrence": 1},
    ),
    Fault(
        "two_persons_of_one_source_value",
        """UPDATE cdm.person SET person_source_value = 'a1b2c3d4e5f60718293a4b5c6d7e8f91'
        WHERE person_id = 2""",
        {"one_person": 1},
        {**OF_PERSON, "person": 1},
    ),
    Fault(
        "nothing_given",
        "UPDATE cdm.drug_exposure SET quantity = 0 WHERE drug_exposure_id = 5001",
        {"count_low.drug_exposure.quantity": 1},
    ),
    Fault(
        "prescription_of_no_day",
        "UPDATE cdm.drug_exposure SET days_supply = 0 WHERE drug_exposure_id = 5001",
        {"days_low.drug_exposure.days_supply": 1},
    ),
    Fault(
        "prescription_of_366_days",
        "UPDATE cdm.drug_exposure SET days_supply = 366 WHERE drug_exposure_id = 5001",
        {"days_high.drug_exposure.days_supply": 1},
    ),
    Fault(
        "prescription_renewed_25_times",
        "UPDATE cdm.drug_exposure SET refills = 25 WHERE drug_exposure_id = 5001",
        {"count_high.drug_exposure.refills": 1},
    ),
    Fault(
        "disease_of_men_in_a_woman",
        CONCEPTS
        + """UPDATE cdm.condition_occurrence SET condition_concept_id = 194997
        WHERE condition_occurrence_id = 3001""",
        {"sex.condition_occurrence.condition_concept_id": 1},
    ),
    Fault(
        "glucose_in_percent",
        CONCEPTS + "UPDATE cdm.measurement SET unit_concept_id = 8554 WHERE measurement_id = 6001",
        {"unit": 1},
        OF_MEASUREMENT,
    ),
    Fault(
        "glucose_of_7100",
        """UPDATE cdm.concept SET vocabulary_id = 'LOINC', concept_code = '2345-7'
        WHERE concept_id = 3004501;
        UPDATE cdm.concept SET vocabulary_id = 'UCUM', concept_code = 'mmol/L'
        WHERE concept_id = 8753;
        UPDATE cdm.measurement SET value_as_number = 7100 WHERE measurement_id = 6001""",
        {"range": 1},
        OF_MEASUREMENT,
    ),
    Fault(
        "note_of_blanks",
        "UPDATE cdm.note SET note_text = ' \n- ' WHERE note_id = 8001",
        {"empty_note": 1},
        {"note": 1},
    ),
    Fault(
        "note_in_another_character_set",
        "UPDATE cdm.note SET note_text = 'ArrivÃ©e aux urgences' WHERE note_id = 8001",
        {"damaged.note.note_text": 1},
        {"note": 1},
    ),
    Fault(
        "service_in_another_character_set",
        "UPDATE cdm.care_site SET care_site_name = 'RÃ©animation'",
        {"damaged_name.care_site.care_site_name": 1},
    ),
    Fault(
        "class_of_51_characters",
        """UPDATE cdm.visit_occurrence SET visit_source_value = repeat('x', 51)
        WHERE visit_occurrence_id = 1001""",
        {"too_long.visit_occurrence.visit_source_value": 1},
    ),
    Fault(
        "one_of_fifteen_with_another_concept",
        CONCEPTS
        + """INSERT INTO cdm.condition_occurrence SELECT c.* REPLACE (3100 + i AS
        condition_occurrence_id, CAST(i AS VARCHAR) AS stop_reason)
        FROM cdm.condition_occurrence c, range(12) r(i) WHERE condition_occurrence_id = 3001;
        INSERT INTO etl.lineage SELECT 'condition_occurrence', 3100 + i, 'clinical-1',
        'condition_occurrence-3001', 'source' FROM range(12) r(i);
        UPDATE cdm.condition_occurrence SET condition_concept_id = 4000001
        WHERE condition_occurrence_id = 3003""",
        {"coherent.condition_occurrence.condition_concept_id": 1},
    ),
    Fault(
        "warehouse_without_a_name",
        "UPDATE cdm.cdm_source SET cdm_source_name = ''",
        {"source_stated": 1},
        blocks=True,
    ),
    Fault(
        "description_of_another_year",
        """UPDATE cdm.cdm_source SET cdm_release_date = DATE '2023-06-30',
        source_release_date = DATE '2023-06-30'""",
        {"source_stale": 1},
        blocks=True,
    ),
    Fault(
        "two_versions_of_one_fact",
        """UPDATE etl.row_disposition SET row_key = 'note-8002' WHERE row_key = 'note-8001';
        UPDATE etl.lineage SET row_key = 'note-8002' WHERE row_key = 'note-8001'""",
        {"business_key": 1},
        blocks=True,
    ),
    Fault(
        "two_persons_admitted_together_twice",
        """INSERT INTO cdm.visit_occurrence SELECT * REPLACE (visit_occurrence_id + 100 AS
        visit_occurrence_id, DATE '2024-01-09' AS visit_start_date,
        DATE '2024-01-10' AS visit_end_date) FROM cdm.visit_occurrence WHERE person_id < 3;
        INSERT INTO etl.lineage SELECT cdm_table, cdm_id + 100, record_key, row_key, role
        FROM etl.lineage WHERE cdm_table = 'visit_occurrence' AND cdm_id < 1003;
        UPDATE cdm.visit_occurrence SET visit_start_datetime = visit_start_date
        + INTERVAL 9 HOUR + INTERVAL 41 SECOND WHERE person_id < 3""",
        {"twins": 1},
    ),
)
