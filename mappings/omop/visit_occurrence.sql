-- visit_occurrence: one row per realised stay. visit_source_value is the class as sent, never the number.
INSERT INTO cdm.visit_occurrence BY NAME
SELECT
  v.visit_id AS visit_occurrence_id,
  v.person_id,
  coalesce(v.visit_concept_id, 0) AS visit_concept_id,
  day_of(v.start_at) AS visit_start_date,
  v.start_at AS visit_start_datetime,
  day_of(v.end_at) AS visit_end_date,
  v.end_at AS visit_end_datetime,
  t.concept_id AS visit_type_concept_id,
  v.provider_id,
  v.care_site_id,
  source_text(v.class_code) AS visit_source_value,
  0 AS visit_source_concept_id,
  coalesce(entry.concept_id, 0) AS admitted_from_concept_id,
  source_text(v.entry_code) AS admitted_from_source_value,
  coalesce(leaving.concept_id, 0) AS discharged_to_concept_id,
  source_text(v.exit_code) AS discharged_to_source_value,
  lag(v.visit_id) OVER (
    PARTITION BY v.person_id ORDER BY v.start_at, v.visit_id) AS preceding_visit_occurrence_id
FROM visit v
JOIN cdm.person p ON p.person_id = v.person_id
LEFT JOIN map_entry_exit entry ON entry.code = v.entry_code AND entry.direction = 'entry'
LEFT JOIN map_entry_exit leaving ON leaving.code = v.exit_code AND leaving.direction = 'exit'
LEFT JOIN map_type_concepts t ON t.context_code = 'encounter';

INSERT INTO etl.lineage (cdm_table, cdm_id, record_key, row_key)
SELECT 'visit_occurrence', v.visit_id, s.record_key, s.row_key
FROM visit v
JOIN newest_stay s ON s.row_key = v.stay_key
JOIN cdm.visit_occurrence o ON o.visit_occurrence_id = v.visit_id;
