-- observation_period: as in the core (Themis, EHR rule), over the events that the space shows. The 60
-- days after the last event are left out where they would pass the end of the space: that end is the
-- same for everybody.
CREATE OR REPLACE TEMP TABLE study_activity AS
SELECT person_id, visit_start_date AS first_day, visit_end_date AS last_day
  FROM draft.cdm.visit_occurrence
UNION ALL SELECT person_id, condition_start_date, condition_start_date
  FROM draft.cdm.condition_occurrence
UNION ALL SELECT person_id, procedure_date, procedure_date FROM draft.cdm.procedure_occurrence
UNION ALL SELECT person_id, drug_exposure_start_date, drug_exposure_start_date
  FROM draft.cdm.drug_exposure
UNION ALL SELECT person_id, device_exposure_start_date, device_exposure_start_date
  FROM draft.cdm.device_exposure
UNION ALL SELECT person_id, measurement_date, measurement_date FROM draft.cdm.measurement
UNION ALL SELECT person_id, specimen_date, specimen_date FROM draft.cdm.specimen
UNION ALL SELECT person_id, observation_date, observation_date FROM draft.cdm.observation
UNION ALL SELECT person_id, note_date, note_date FROM draft.cdm.note;

INSERT INTO draft.cdm.observation_period BY NAME
SELECT study_event_id('period', person_id || '-' || period) AS observation_period_id, person_id,
  min(first_day) AS observation_period_start_date,
  greatest(min(first_day), CASE
    WHEN least(max(last_day) + 60, coalesce(min(death_date) + 60, max(last_day) + 60))
      < (SELECT end_day FROM study_window)
    THEN least(max(last_day) + 60, coalesce(min(death_date) + 60, max(last_day) + 60))
    ELSE max(last_day) END) AS observation_period_end_date,
  (SELECT max(period_type_concept_id) FROM core.cdm.observation_period) AS period_type_concept_id
FROM (
  SELECT *, sum(CASE WHEN date_diff('day', seen_until, first_day) >= 548 THEN 1 ELSE 0 END) OVER (
    PARTITION BY person_id ORDER BY first_day
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS period
  FROM (
    -- One line a day, as in the core: rows of one day have no order of their own.
    SELECT a.person_id, a.first_day, a.last_day, d.death_date,
      max(a.last_day) OVER (PARTITION BY a.person_id ORDER BY a.first_day
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen_until
    FROM (SELECT person_id, first_day, max(last_day) AS last_day
      FROM study_activity GROUP BY person_id, first_day) a
    LEFT JOIN draft.cdm.death d ON d.person_id = a.person_id
  )
)
GROUP BY person_id, period;

-- Of somebody without an event in the space nothing is shown, not even the death.
DELETE FROM draft.cdm.death
WHERE person_id NOT IN (SELECT person_id FROM draft.cdm.observation_period);
