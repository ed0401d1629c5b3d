-- observation: the Observation domain; every odd domain with its concept as the value; allergies, with
-- their kind as the concept and the substance as the value; diagnoses that are provisional, one of
-- several or refuted, with the qualifier that says so. A reaction hangs on the allergy of its record.
INSERT INTO cdm.observation BY NAME
SELECT
  e.event_id AS observation_id,
  e.person_id,
  CASE WHEN e.is_substance THEN e.allergy_concept_id WHEN e.odd_domain THEN 0
       ELSE e.concept_id END AS observation_concept_id,
  day_of(e.event_at) AS observation_date,
  e.event_at AS observation_datetime,
  e.type_concept_id AS observation_type_concept_id,
  e.value_number AS value_as_number,
  CASE WHEN e.value_number IS NULL THEN e.value_text END AS value_as_string,
  CASE WHEN e.odd_domain OR e.is_substance THEN e.concept_id
       ELSE coalesce(e.mapped_value_concept_id, v.target_concept_id) END AS value_as_concept_id,
  e.qualifier_concept_id,
  CASE WHEN e.unit_code IS NULL THEN NULL ELSE coalesce(e.unit_concept_id, 0) END AS unit_concept_id,
  e.provider_id,
  e.visit_ref AS visit_occurrence_id,
  e.visit_detail_id,
  source_text(coalesce(e.chosen_code, e.label)) AS observation_source_value,
  e.source_concept_id AS observation_source_concept_id,
  source_text(e.unit_code) AS unit_source_value,
  CASE WHEN e.qualifier_concept_id IS NOT NULL THEN source_text(e.verification_code) END
    AS qualifier_source_value,
  source_text(coalesce(e.value_text, e.value_code)) AS value_source_value,
  a.event_id AS observation_event_id,
  CASE WHEN a.event_id IS NOT NULL THEN f.concept_id END AS obs_event_field_concept_id
FROM event_resolved e
LEFT JOIN (
  SELECT record_key, min(event_id) AS event_id FROM event_resolved
  WHERE category = 'allergy' AND NOT is_reaction GROUP BY record_key HAVING count(*) = 1
) a ON e.is_reaction AND a.record_key = e.record_key
LEFT JOIN map_constants k ON k.name = 'field_observation'
LEFT JOIN cdm.concept f ON f.concept_id = k.concept_id
LEFT JOIN (SELECT system, code, target_concept_id FROM etl.concept_resolution
           WHERE ordinal = 0 AND target_concept_id <> 0) v
  ON v.system = CASE WHEN e.value_code IS NULL THEN 'TEXT' ELSE coalesce(e.value_system, '') END
 AND v.code = coalesce(e.value_code, CASE WHEN e.value_number IS NULL THEN e.value_text END)
WHERE e.cdm_table = 'observation';
