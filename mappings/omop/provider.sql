-- provider (derived): every professional that a published row names; no name, no number, no birth year.
INSERT INTO cdm.provider BY NAME
SELECT provider_id, 0 AS specialty_concept_id, 0 AS gender_concept_id,
  0 AS specialty_source_concept_id, 0 AS gender_source_concept_id
FROM (
  SELECT provider_id FROM cdm.visit_occurrence
  UNION SELECT provider_id FROM cdm.visit_detail
  UNION SELECT provider_id FROM cdm.condition_occurrence
  UNION SELECT provider_id FROM cdm.procedure_occurrence
  UNION SELECT provider_id FROM cdm.drug_exposure
  UNION SELECT provider_id FROM cdm.device_exposure
  UNION SELECT provider_id FROM cdm.measurement
  UNION SELECT provider_id FROM cdm.observation
  UNION SELECT provider_id FROM cdm.note
)
WHERE provider_id IS NOT NULL;
