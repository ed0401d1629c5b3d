-- cdm_source: the space says what it is and not when the warehouse was made. Its dates are the first
-- day of the last year that it may show.
INSERT INTO draft.cdm.cdm_source BY NAME
SELECT ? AS cdm_source_name, ? AS cdm_source_abbreviation, s.cdm_holder,
  CAST(date_trunc('year', w.end_day) AS DATE) AS source_release_date,
  CAST(date_trunc('year', w.end_day) AS DATE) AS cdm_release_date,
  s.cdm_version, s.cdm_version_concept_id, s.vocabulary_version,
  s.cdm_etl_reference
FROM core.cdm.cdm_source s CROSS JOIN study_window w;
