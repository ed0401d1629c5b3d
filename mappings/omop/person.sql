-- person: one row per cluster. No name, no number; birth by month; race and ethnicity are not collected.
INSERT INTO cdm.person BY NAME
SELECT
  p.person_id,
  coalesce(g.gender_concept_id, 0) AS gender_concept_id,
  p.birth_year AS year_of_birth,
  p.birth_month AS month_of_birth,
  start_of_month(p.birth_year, p.birth_month) AS birth_datetime,
  0 AS race_concept_id,
  0 AS ethnicity_concept_id,
  p.location_id,
  substr(p.person_key, 1, 32) AS person_source_value,
  source_text(p.gender_code) AS gender_source_value,
  0 AS gender_source_concept_id,
  0 AS race_source_concept_id,
  0 AS ethnicity_source_concept_id
FROM current_patient p
LEFT JOIN map_gender g ON g.code = p.gender_code
WHERE p.birth_year IS NOT NULL;

INSERT INTO etl.lineage (cdm_table, cdm_id, record_key, row_key)
SELECT 'person', c.person_id, s.record_key, s.row_key
FROM current_patient c
JOIN newest_patient s ON s.person_key = c.person_key
JOIN cdm.person p ON p.person_id = c.person_id;
