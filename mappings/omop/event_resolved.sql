-- Every clinical event once: status filter, visit, unit stay, date, concepts, fan-out, target table.
-- Concepts come from concept_resolution (one row per code and ordinal); when the first coding has no
-- standard concept and the alternate has one, the alternate speaks. An event without a date of its
-- own takes its stay's (diagnoses, acts), else its message's; date_precision stays empty then.

CREATE TEMP TABLE event_kept AS
SELECT e.*, v.visit_id AS visit_occurrence_id, o.start_at AS visit_start,
  coalesce(e.start_at, CASE WHEN e.category IN ('diagnosis', 'act') THEN o.start_at END,
    e.stated_at) AS event_at,
  CASE WHEN first.mapped THEN e.code WHEN second.mapped THEN e.alt_code
       ELSE coalesce(e.code, e.alt_code) END AS chosen_code,
  CASE WHEN first.mapped THEN e.system WHEN second.mapped THEN e.alt_system
       WHEN e.code IS NULL THEN e.alt_system ELSE e.system END AS chosen_system
FROM current_event e
JOIN cdm.person p ON p.person_id = e.person_id
LEFT JOIN visit_of_stay v ON v.stay_key = e.stay_key
LEFT JOIN visit o ON o.visit_id = v.visit_id AND o.person_id = e.person_id
LEFT JOIN (SELECT DISTINCT system, code, true AS mapped FROM etl.concept_resolution
           WHERE target_concept_id <> 0) first
  ON first.system = coalesce(e.system, '') AND first.code = e.code
LEFT JOIN (SELECT DISTINCT system, code, true AS mapped FROM etl.concept_resolution
           WHERE target_concept_id <> 0) second
  ON second.system = coalesce(e.alt_system, '') AND second.code = e.alt_code
WHERE e.action = 'upsert' AND e.status_code = 'final';

-- The unit stay that covers the event, the latest to begin if several do.
CREATE TEMP TABLE event_unit_stay AS
SELECT row_key, visit_detail_id FROM (
  SELECT e.row_key, d.visit_detail_id,
    row_number() OVER (PARTITION BY e.row_key
      ORDER BY d.visit_detail_start_datetime DESC, d.visit_detail_id) AS latest
  FROM event_kept e
  JOIN cdm.visit_detail d
    ON d.visit_occurrence_id = e.visit_occurrence_id
   AND e.event_at >= d.visit_detail_start_datetime AND e.event_at <= d.visit_detail_end_datetime
  WHERE e.start_at IS NOT NULL
) WHERE latest = 1;

CREATE TEMP TABLE event_resolved AS
SELECT
  e.*,
  u.visit_detail_id,
  o.visit_occurrence_id AS visit_ref,
  coalesce(r.ordinal, 0) AS ordinal,
  fan_out_id(e.row_id, coalesce(r.ordinal, 0)) AS event_id,
  coalesce(r.target_concept_id, 0) AS concept_id,
  coalesce(r.source_concept_id, 0) AS source_concept_id,
  r.value_concept_id AS mapped_value_concept_id,
  t.concept_id AS type_concept_id,
  CASE coalesce(r.target_domain_id, r.domain_id_of_source, c.domain_id)
    WHEN 'Condition' THEN 'condition_occurrence'
    WHEN 'Procedure' THEN 'procedure_occurrence'
    WHEN 'Drug' THEN 'drug_exposure'
    WHEN 'Measurement' THEN 'measurement'
    ELSE 'observation' END AS cdm_table,
  coalesce(r.target_domain_id, 'Observation') NOT IN
    ('Condition', 'Procedure', 'Drug', 'Measurement', 'Observation') AS odd_domain,
  un.unit_concept_id,
  op.operator_concept_id
FROM event_kept e
LEFT JOIN etl.concept_resolution r
  ON r.system = coalesce(e.chosen_system, '') AND r.code = e.chosen_code
LEFT JOIN map_default_domain c ON c.category = e.category
LEFT JOIN event_unit_stay u ON u.row_key = e.row_key
LEFT JOIN cdm.visit_occurrence o ON o.visit_occurrence_id = e.visit_occurrence_id
  AND o.person_id = e.person_id
LEFT JOIN map_type_concepts t ON t.context_code = e.context_code
LEFT JOIN map_units un ON un.unit_code = coalesce(e.unit_code, e.dose_unit_code)
LEFT JOIN map_operators op ON op.operator = e.operator;

INSERT INTO etl.lineage SELECT cdm_table, event_id, record_key, row_key FROM event_resolved;
