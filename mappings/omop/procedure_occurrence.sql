-- procedure_occurrence: date of the act, else the start of its stay.
INSERT INTO cdm.procedure_occurrence BY NAME
SELECT
  e.event_id AS procedure_occurrence_id,
  e.person_id,
  e.concept_id AS procedure_concept_id,
  day_of(e.event_at) AS procedure_date,
  e.event_at AS procedure_datetime,
  day_of(e.end_at) AS procedure_end_date,
  e.end_at AS procedure_end_datetime,
  e.type_concept_id AS procedure_type_concept_id,
  0 AS modifier_concept_id,
  rounded(e.quantity) AS quantity,
  e.provider_id,
  e.visit_ref AS visit_occurrence_id,
  e.visit_detail_id,
  source_text(coalesce(e.chosen_code, e.label)) AS procedure_source_value,
  e.source_concept_id AS procedure_source_concept_id,
  CASE WHEN e.phase_code IS NULL THEN source_text(e.activity_code)
       ELSE concat(e.activity_code, '-', e.phase_code) END AS modifier_source_value
FROM event_resolved e
WHERE e.cdm_table = 'procedure_occurrence';
