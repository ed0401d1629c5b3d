-- device_exposure: implants and devices used; a use without an end lasts as its source says, or not.
-- No serial number: a device's own identifier may name its bearer.
INSERT INTO cdm.device_exposure BY NAME
SELECT
  e.event_id AS device_exposure_id,
  e.person_id,
  e.concept_id AS device_concept_id,
  day_of(e.event_at) AS device_exposure_start_date,
  e.event_at AS device_exposure_start_datetime,
  day_of(e.end_at) AS device_exposure_end_date,
  e.end_at AS device_exposure_end_datetime,
  e.type_concept_id AS device_type_concept_id,
  CASE WHEN e.ordinal = 0 THEN whole_count(e.quantity) END AS quantity,
  e.provider_id,
  e.visit_ref AS visit_occurrence_id,
  e.visit_detail_id,
  source_text(coalesce(e.chosen_code, e.label)) AS device_source_value,
  e.source_concept_id AS device_source_concept_id
FROM event_resolved e
WHERE e.cdm_table = 'device_exposure';
