-- specimen: what was taken, where on the body, and when. Its number stays out (f2o-020): specimen_source_id is NULL.
INSERT INTO cdm.specimen BY NAME
SELECT
  e.event_id AS specimen_id,
  e.person_id,
  e.concept_id AS specimen_concept_id,
  e.type_concept_id AS specimen_type_concept_id,
  day_of(e.event_at) AS specimen_date,
  e.event_at AS specimen_datetime,
  CASE WHEN e.ordinal = 0 THEN e.quantity END AS quantity,
  CASE WHEN e.unit_code IS NULL THEN NULL ELSE coalesce(e.unit_concept_id, 0) END AS unit_concept_id,
  coalesce(v.target_concept_id, 0) AS anatomic_site_concept_id,
  0 AS disease_status_concept_id,
  source_text(coalesce(e.chosen_code, e.label)) AS specimen_source_value,
  source_text(e.unit_code) AS unit_source_value,
  source_text(e.value_code) AS anatomic_site_source_value
FROM event_resolved e
LEFT JOIN (SELECT system, code, target_concept_id FROM etl.concept_resolution
           WHERE ordinal = 0 AND target_domain_id = 'Spec Anatomic Site') v
  ON v.system = coalesce(e.value_system, '') AND v.code = e.value_code
WHERE e.cdm_table = 'specimen';
