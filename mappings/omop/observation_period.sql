-- observation_period (derived; Themis, EHR rule): from the first event to 60 days after the last, never
-- past as_of nor 60 days after death; a gap of 548 days opens a new one; death alone opens none.
CREATE OR REPLACE TABLE activity AS
SELECT person_id, visit_start_date AS first_day, visit_end_date AS last_day FROM cdm.visit_occurrence
UNION ALL SELECT person_id, condition_start_date, condition_start_date FROM cdm.condition_occurrence
UNION ALL SELECT person_id, procedure_date, procedure_date FROM cdm.procedure_occurrence
UNION ALL SELECT person_id, drug_exposure_start_date, drug_exposure_start_date FROM cdm.drug_exposure
UNION ALL SELECT person_id, device_exposure_start_date, device_exposure_start_date
  FROM cdm.device_exposure
UNION ALL SELECT person_id, measurement_date, measurement_date FROM cdm.measurement
UNION ALL SELECT person_id, specimen_date, specimen_date FROM cdm.specimen
UNION ALL SELECT person_id, observation_date, observation_date FROM cdm.observation
UNION ALL SELECT person_id, note_date, note_date FROM cdm.note;

-- One line a day: rows that begin on the same day have no order of their own, and two windows that
-- put them in another one would begin a period in the middle of the one before.
CREATE OR REPLACE TABLE observed AS
SELECT person_id, first_day, last_day, max(last_day) OVER (PARTITION BY person_id ORDER BY first_day
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen_until
FROM (
  SELECT a.person_id, greatest(a.first_day, p.data_start) AS first_day, max(a.last_day) AS last_day
  FROM activity a CROSS JOIN run_parameter p
  WHERE a.last_day >= p.data_start AND a.first_day <= days_after(day_of(p.as_of), 1)
  GROUP BY a.person_id, greatest(a.first_day, p.data_start)
);

INSERT INTO cdm.observation_period BY NAME
SELECT
  fan_out_id(person_id, period) AS observation_period_id,
  person_id,
  min(first_day) AS observation_period_start_date,
  greatest(min(first_day), least(days_after(max(last_day), 60), min(limit_day)))
    AS observation_period_end_date,
  max(type_concept_id) AS period_type_concept_id
FROM (
  SELECT o.person_id, o.first_day, o.last_day, t.concept_id AS type_concept_id,
    least(day_of(r.as_of), coalesce(days_after(d.death_date, 60), day_of(r.as_of))) AS limit_day,
    sum(CASE WHEN days_between(o.seen_until, o.first_day) >= 548 THEN 1 ELSE 0 END) OVER (
      PARTITION BY o.person_id ORDER BY o.first_day
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS period
  FROM observed o
  CROSS JOIN run_parameter r
  LEFT JOIN cdm.death d ON d.person_id = o.person_id
  LEFT JOIN map_type_concepts t ON t.context_code = 'period'
)
GROUP BY person_id, period;
