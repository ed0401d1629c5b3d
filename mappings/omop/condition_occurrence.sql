-- condition_occurrence: date of the diagnosis, else the start of its stay. DP 32902, DAS 32908 by table.
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
  coalesce(s.concept_id, 0) AS condition_status_concept_id,
  e.provider_id,
  e.visit_ref AS visit_occurrence_id,
  e.visit_detail_id,
  source_text(e.chosen_code) AS condition_source_value,
  e.source_concept_id AS condition_source_concept_id,
  source_text(e.rank_code) AS condition_status_source_value
FROM event_resolved e
LEFT JOIN map_condition_status s ON s.code = e.rank_code
WHERE e.cdm_table = 'condition_occurrence';
