-- condition_occurrence: date of the diagnosis, else the start of its stay. Its status is its rank (DP,
-- DAS), else how sure its author is; what is doubted or refuted is an observation, never here.
INSERT INTO cdm.condition_occurrence BY NAME
SELECT
  e.event_id AS condition_occurrence_id,
  e.person_id,
  e.concept_id AS condition_concept_id,
  day_of(e.event_at) AS condition_start_date,
  e.event_at AS condition_start_datetime,
  day_of(e.end_at) AS condition_end_date,
  e.end_at AS condition_end_datetime,
  e.type_concept_id AS condition_type_concept_id,
  coalesce(s.concept_id, k.concept_id, 0) AS condition_status_concept_id,
  e.provider_id,
  e.visit_ref AS visit_occurrence_id,
  e.visit_detail_id,
  source_text(coalesce(e.chosen_code, e.label)) AS condition_source_value,
  e.source_concept_id AS condition_source_concept_id,
  source_text(coalesce(e.rank_code, e.verification_code)) AS condition_status_source_value
FROM event_resolved e
LEFT JOIN map_condition_status s ON s.code = e.rank_code
LEFT JOIN map_condition_status k ON k.code = e.verification_code
WHERE e.cdm_table = 'condition_occurrence';
