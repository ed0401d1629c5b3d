-- cdm_source (derived): one row; its dates are as_of, never the clock.
INSERT INTO cdm.cdm_source BY NAME
SELECT
  p.title AS cdm_source_name,
  p.site AS cdm_source_abbreviation,
  p.title AS cdm_holder,
  day_of(p.as_of) AS source_release_date,
  day_of(p.as_of) AS cdm_release_date,
  'v5.4' AS cdm_version,
  c.concept_id AS cdm_version_concept_id,
  coalesce(v.vocabulary_version, '') AS vocabulary_version,
  'entrepot ' || p.software AS cdm_etl_reference
FROM run_parameter p
LEFT JOIN map_constants c ON c.name = 'cdm_version_5_4'
LEFT JOIN cdm.vocabulary v ON v.vocabulary_id = 'None';
