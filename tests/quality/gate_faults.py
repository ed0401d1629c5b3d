"""One planted fault per rule, with what the norm makes of it, worked out by hand.

Each person of the small warehouse has one visit (1001…), visit detail (2001…), condition (3001…),
procedure (4001…), drug (5001…), measurement (6001…), observation (7001…, hanging on the
measurement), note (8001…) and observation period (9001…), all in January 2024.
"""

from __future__ import annotations

from dataclasses import dataclass, field

EVENTS = ("condition_occurrence", "procedure_occurrence", "drug_exposure", "measurement")
OF_VISIT = dict.fromkeys((*EVENTS, "observation", "note", "visit_detail"), 1)
OF_PERSON = {**OF_VISIT, "visit_occurrence": 1, "observation_period": 1, "condition_era": 1}
# A link that joins persons 1 (mother) and 2, in both directions.
LINKS = """INSERT INTO cdm.fact_relationship BY NAME SELECT 56 AS domain_concept_id_1, 1 AS
    fact_id_1, 56 AS domain_concept_id_2, 2 AS fact_id_2, 40478925 AS relationship_concept_id
    UNION ALL SELECT 56, 2, 56, 1, 40485452;"""


@dataclass(frozen=True)
class Fault:
    """A statement that spoils the warehouse and what the gate must answer.

    Args:
        violated: every check that counts a violation, but for `emptied`.
        removed: rows that leave, by table.
        blocks: whether the load is refused.
    """

    name: str
    sql: str
    violated: dict[str, int]
    removed: dict[str, int] = field(default_factory=dict)
    blocks: bool = False
    opposed: tuple[int, ...] = ()


FAULTS = (
    Fault(
        "measurement_without_date_takes_its_observation",
        "UPDATE cdm.measurement SET measurement_date = NULL WHERE measurement_id = 6001",
        {"required.measurement.measurement_date": 1},
        {"measurement": 1, "observation": 1},
    ),
    Fault(
        "two_rows_of_one_key",
        """INSERT INTO cdm.procedure_occurrence SELECT * FROM cdm.procedure_occurrence
        WHERE procedure_occurrence_id = 4001""",
        {
            "key.procedure_occurrence.procedure_occurrence_id": 2,
            "repeated.procedure_occurrence": 2,
        },
        {"procedure_occurrence": 2},
    ),
    Fault(
        "second_death",
        "INSERT INTO cdm.death SELECT * REPLACE (DATE '2024-01-06' AS death_date) FROM cdm.death",
        {"one_death": 2},
        {"death": 2},
    ),
    Fault(
        "unknown_concept",
        """UPDATE cdm.condition_occurrence SET condition_concept_id = 987654321
        WHERE condition_occurrence_id = 3001""",
        {"reference.condition_occurrence.condition_concept_id": 1},
        {"condition_occurrence": 1},
    ),
    Fault(
        "note_of_nobody",
        "UPDATE cdm.note SET person_id = 99 WHERE note_id = 8001",
        {"reference.note.person_id": 1, "same_person.note.visit_occurrence_id": 1},
        {"note": 1},
    ),
    Fault(
        "no_description_of_the_warehouse",
        "DELETE FROM cdm.cdm_source",
        {"source_described": 1},
        blocks=True,
    ),
    Fault(
        "condition_among_procedures",
        """UPDATE cdm.procedure_occurrence SET procedure_concept_id = 201826
        WHERE procedure_occurrence_id = 4001""",
        {"domain.procedure_occurrence.procedure_concept_id": 1},
        {"procedure_occurrence": 1},
    ),
    Fault(
        "observation_takes_any_domain",
        "UPDATE cdm.observation SET observation_concept_id = 201826 WHERE observation_id = 7001",
        {},
    ),
    Fault(
        "deprecated_gender_takes_the_person",
        "UPDATE cdm.person SET gender_concept_id = 8551 WHERE person_id = 3",
        {"standard.person.gender_concept_id": 1},
        {**OF_PERSON, "person": 1, "death": 1},
    ),
    Fault(
        "concept_zero_is_allowed",
        "UPDATE cdm.person SET gender_concept_id = 0 WHERE person_id = 3",
        {"unmapped.person.gender_concept_id": 1},
    ),
    Fault(
        "note_of_unknown_provenance",
        "UPDATE cdm.note SET note_type_concept_id = 0 WHERE note_id = 8001",
        {"type_concept.note.note_type_concept_id": 1},
        {"note": 1},
    ),
    Fault(
        "gender_as_provenance",
        "UPDATE cdm.note SET note_type_concept_id = 8507 WHERE note_id = 8001",
        {"type_concept.note.note_type_concept_id": 1},
        {"note": 1},
    ),
    Fault(
        "visit_that_ends_before_it_starts",
        """UPDATE cdm.visit_occurrence SET visit_end_date = DATE '2024-01-01'
        WHERE visit_occurrence_id = 1001""",
        {"order.visit_occurrence.visit_start_date": 1},
        {**OF_VISIT, "visit_occurrence": 1},
    ),
    Fault(
        "procedure_the_day_before_the_month_of_birth",
        """UPDATE cdm.procedure_occurrence SET procedure_date = DATE '1980-04-30'
        WHERE procedure_occurrence_id = 4001""",
        {
            "before_birth.procedure_occurrence.procedure_date": 1,
            "observed_then.procedure_occurrence.procedure_date": 1,
            "within_visit.procedure_occurrence.procedure_date": 1,
        },
        {"procedure_occurrence": 1},
    ),
    Fault(
        "procedure_on_the_first_of_the_month_of_birth",
        """UPDATE cdm.procedure_occurrence SET procedure_date = DATE '1980-05-01'
        WHERE procedure_occurrence_id = 4001""",
        {
            "observed_then.procedure_occurrence.procedure_date": 1,
            "within_visit.procedure_occurrence.procedure_date": 1,
        },
    ),
    Fault(
        "note_61_days_after_death",
        "UPDATE cdm.note SET note_date = DATE '2024-03-06' WHERE note_id = 8003",
        {
            "after_death.note.note_date": 1,
            "observed_then.note.note_date": 1,
            "within_visit.note.note_date": 1,
        },
        {"note": 1},
    ),
    Fault(
        "note_60_days_after_death",
        "UPDATE cdm.note SET note_date = DATE '2024-03-05' WHERE note_id = 8003",
        {"within_visit.note.note_date": 1},
    ),
    Fault(
        "observation_in_1899",
        """UPDATE cdm.observation SET observation_date = DATE '1899-12-31'
        WHERE observation_id = 7001""",
        {
            "too_early.observation.observation_date": 1,
            "before_birth.observation.observation_date": 1,
            "observed_then.observation.observation_date": 1,
            "within_visit.observation.observation_date": 1,
        },
        {"observation": 1},
    ),
    Fault(
        "measurement_two_days_ahead",
        "UPDATE cdm.measurement SET measurement_date = DATE '2024-07-02' WHERE measurement_id=6001",
        {
            "future.measurement.measurement_date": 1,
            "observed_then.measurement.measurement_date": 1,
            "same_day.measurement.measurement_date": 1,
            "within_visit.measurement.measurement_date": 1,
        },
        {"measurement": 1, "observation": 1},
    ),
    Fault(
        "prescription_that_runs_on",
        """UPDATE cdm.drug_exposure SET drug_exposure_end_date = DATE '2024-09-01'
        WHERE drug_exposure_id = 5003""",
        {},
    ),
    Fault(
        "drug_eight_days_after_the_visit",
        """UPDATE cdm.drug_exposure SET drug_exposure_start_date = DATE '2024-01-13'
        WHERE drug_exposure_id = 5001""",
        {"within_visit.drug_exposure.drug_exposure_start_date": 1},
    ),
    Fault(
        "month_thirteen",
        "UPDATE cdm.person SET month_of_birth = 13 WHERE person_id = 1",
        {"birth": 1},
        {**OF_PERSON, "person": 1},
    ),
    Fault(
        "measurement_in_the_visit_of_another",
        "UPDATE cdm.measurement SET visit_occurrence_id = 1002 WHERE measurement_id = 6001",
        {"same_person.measurement.visit_occurrence_id": 1},
        {"measurement": 1, "observation": 1},
    ),
    Fault(
        "person_never_observed",
        "DELETE FROM cdm.observation_period WHERE person_id = 2",
        {"observed": 1},
        {**OF_VISIT, "visit_occurrence": 1, "condition_era": 1, "person": 1},
    ),
    Fault(
        "provider_of_no_care_site",
        "UPDATE cdm.provider SET care_site_id = 99",
        {"reference.provider.care_site_id": 1},
        {"provider": 1},
    ),
    Fault(
        "links_of_a_person_who_goes",
        LINKS + "UPDATE cdm.person SET month_of_birth = 13 WHERE person_id = 2",
        {"birth": 1},
        {**OF_PERSON, "person": 1, "fact_relationship": 2},
    ),
    Fault(
        "links_of_persons_who_stay",
        LINKS,
        {},
    ),
    Fault(
        "link_one_way",
        LINKS + "DELETE FROM cdm.fact_relationship WHERE fact_id_1 = 2",
        {"one_way": 1},
        blocks=True,
    ),
    Fault(
        "link_to_nobody",
        LINKS.replace(" 2,", " 99,").replace("2 AS", "99 AS"),
        {"linked": 1},
        blocks=True,
    ),
    Fault(
        "condition_without_an_era",
        "DELETE FROM cdm.condition_era WHERE person_id = 2",
        {"condition_eras": 1},
        blocks=True,
    ),
    Fault(
        "era_of_no_concept",
        """UPDATE cdm.condition_era SET condition_concept_id = 0, condition_occurrence_count = 0
        WHERE person_id = 2""",
        {
            "era_of_nothing.condition_era.condition_concept_id": 1,
            "occurrences": 1,
            "condition_eras": 1,
        },
        {"condition_era": 1},
        blocks=True,
    ),
    Fault(
        "drug_era_of_no_ingredient",
        """UPDATE cdm.concept SET concept_class_id = 'Clinical Drug' WHERE concept_id = 1503297;
        INSERT INTO cdm.drug_era BY NAME SELECT 1 AS drug_era_id, 1 AS person_id, 1503297 AS
        drug_concept_id, DATE '2024-01-03' AS drug_era_start_date, DATE '2024-02-01' AS
        drug_era_end_date, 0 AS drug_exposure_count, -1 AS gap_days""",
        {"concept_class": 1, "exposures": 1, "gap_days": 1},
        {"drug_era": 1},
        blocks=True,
    ),
    Fault(
        "exposure_to_an_ingredient_without_an_era",
        "UPDATE cdm.concept SET concept_class_id = 'Ingredient' WHERE concept_id = 1503297",
        {"ingredients": 3},
        blocks=True,
    ),
    Fault(
        "opposed_person",
        "SELECT 1",
        {f"opposed.{table}.person_id": 1 for table in ("person", *OF_PERSON)},
        blocks=True,
        opposed=(2,),
    ),
    Fault(
        "nir_in_a_note",
        "UPDATE cdm.note SET note_text = 'NIR 1 80 05 75 123 456 78' WHERE note_id = 8001",
        {"nir.note.note_text": 1},
        blocks=True,
    ),
    Fault(
        "mail_in_a_title",
        "UPDATE cdm.note SET note_title = 'Pour jean.dupont@example.org' WHERE note_id = 8001",
        {"email.note.note_title": 1},
        blocks=True,
    ),
    Fault(
        "phone_in_an_answer",
        """UPDATE cdm.observation SET value_as_string = 'joindre au 06 12 34 56 78'
        WHERE observation_id = 7001""",
        {"phone.observation.value_as_string": 1},
        blocks=True,
    ),
    Fault(
        "file_number_beside_a_note",
        "UPDATE cdm.note SET note_title = 'Dossier 00123456' WHERE note_id = 8001",
        {"long_number.note.note_title": 1},
        blocks=True,
    ),
    Fault(
        "row_from_nowhere",
        """INSERT INTO cdm.procedure_occurrence SELECT * REPLACE (4999 AS procedure_occurrence_id)
        FROM cdm.procedure_occurrence WHERE procedure_occurrence_id = 4001""",
        {"traced.procedure_occurrence": 1, "balance": 1, "repeated.procedure_occurrence": 1},
        blocks=True,
    ),
    Fault(
        "row_lost_without_a_trace",
        """DELETE FROM etl.row_disposition WHERE row_key = 'note-8001';
        DELETE FROM etl.lineage WHERE row_key = 'note-8001';
        DELETE FROM cdm.note WHERE note_id = 8001""",
        {"staged": 1},
        blocks=True,
    ),
    Fault(
        "record_lost_its_name",
        """UPDATE etl.row_disposition SET record_key = 'identity-1' WHERE record_key = 'identity-2';
        UPDATE etl.lineage SET record_key = 'identity-1' WHERE record_key = 'identity-2'""",
        {"records": 1},
        blocks=True,
    ),
    Fault(
        "row_without_a_disposition",
        "UPDATE etl.row_disposition SET disposition = NULL WHERE row_key = 'note-8001'",
        {"disposed": 1, "balance": 1},
        blocks=True,
    ),
    Fault(
        "exclusion_without_a_reason",
        """UPDATE etl.row_disposition SET disposition = 'excluded' WHERE row_key = 'note-8001';
        DELETE FROM etl.lineage WHERE row_key = 'note-8001';
        DELETE FROM cdm.note WHERE note_id = 8001""",
        {"disposed": 1},
        blocks=True,
    ),
    Fault(
        "mapped_row_that_vanished",
        "DELETE FROM cdm.note WHERE note_id = 8001",
        {"mapped": 1},
        blocks=True,
    ),
    Fault(
        "two_mapped_rows_in_one",
        "INSERT INTO etl.lineage VALUES ('note', 8001, 'clinical-2', 'note-8002', 'source')",
        {"balance": 1},
        blocks=True,
    ),
)
