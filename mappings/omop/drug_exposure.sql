-- drug_exposure. End: stated, else start + days_supply - 1, else administration = its start, written prescription and what is
-- dispensed for it = start + 29 days
-- (Themis 57). verbatim_end_date only when the source stated one; days_supply is never computed; the
-- quantity of a drug with several ingredients stays on its first row.
INSERT INTO cdm.drug_exposure BY NAME
SELECT
  e.event_id AS drug_exposure_id,
  e.person_id,
  e.concept_id AS drug_concept_id,
  day_of(e.event_at) AS drug_exposure_start_date,
  e.event_at AS drug_exposure_start_datetime,
  CASE WHEN e.end_at IS NOT NULL THEN day_of(e.end_at)
       WHEN e.days_supply > 0 THEN last_of_days(day_of(e.event_at), e.days_supply)
       WHEN e.context_code IN ('prescription', 'order', 'dispensation')
         THEN days_after(day_of(e.event_at), 29)
       ELSE day_of(e.event_at) END AS drug_exposure_end_date,
  e.end_at AS drug_exposure_end_datetime,
  day_of(e.end_at) AS verbatim_end_date,
  e.type_concept_id AS drug_type_concept_id,
  CASE WHEN e.ordinal = 0 THEN e.quantity END AS quantity,
  CASE WHEN e.days_supply > 0 THEN e.days_supply END AS days_supply,
  e.sig,
  coalesce(r.concept_id, 0) AS route_concept_id,
  e.provider_id,
  e.visit_ref AS visit_occurrence_id,
  e.visit_detail_id,
  source_text(coalesce(e.chosen_code, e.label)) AS drug_source_value,
  e.source_concept_id AS drug_source_concept_id,
  source_text(e.route_code) AS route_source_value,
  source_text(e.dose_unit_code) AS dose_unit_source_value
FROM event_resolved e
LEFT JOIN map_routes r ON r.code = e.route_code
WHERE e.cdm_table = 'drug_exposure';
