-- measurement: value as given, unit as event_resolved reads it (G/L of a French feed is 10*9/L), the
-- operator only when the source has one. value_source_value keeps the scrubbed text.
INSERT INTO cdm.measurement BY NAME
SELECT
  e.event_id AS measurement_id,
  e.person_id,
  e.concept_id AS measurement_concept_id,
  day_of(e.event_at) AS measurement_date,
  e.event_at AS measurement_datetime,
  e.type_concept_id AS measurement_type_concept_id,
  e.operator_concept_id,
  e.value_number AS value_as_number,
  coalesce(e.mapped_value_concept_id, v.target_concept_id) AS value_as_concept_id,
  CASE WHEN e.unit_code IS NULL THEN NULL ELSE coalesce(e.unit_concept_id, 0) END AS unit_concept_id,
  e.range_low,
  e.range_high,
  e.provider_id,
  e.visit_ref AS visit_occurrence_id,
  e.visit_detail_id,
  source_text(coalesce(e.chosen_code, e.label)) AS measurement_source_value,
  e.source_concept_id AS measurement_source_concept_id,
  source_text(e.unit_code) AS unit_source_value,
  source_text(coalesce(e.value_text, e.value_code)) AS value_source_value
FROM event_resolved e
LEFT JOIN (SELECT system, code, target_concept_id FROM etl.concept_resolution
           WHERE ordinal = 0 AND target_concept_id <> 0) v
  ON v.system = CASE WHEN e.value_code IS NULL THEN 'TEXT' ELSE coalesce(e.value_system, '') END
 AND v.code = coalesce(e.value_code, CASE WHEN e.value_number IS NULL THEN e.value_text END)
WHERE e.cdm_table = 'measurement';
