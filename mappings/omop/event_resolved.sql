-- Every clinical event once: status filter, visit, unit stay, date, concepts, fan-out, target table.
-- Concepts come from concept_resolution (one row per code and ordinal); when the first coding has no
-- standard concept and the alternate has one, the alternate speaks. An event without a date of its
-- own takes its stay's (diagnoses, acts), else its message's, else its stay's; date_precision stays
-- empty then. What nothing dates is no row: when it was received says nothing about the patient.

CREATE TABLE event_kept AS
SELECT * FROM (
SELECT e.*, f.statement, v.visit_id AS visit_occurrence_id, o.start_at AS visit_start,
  coalesce(e.start_at, CASE WHEN e.category IN ('diagnosis', 'act') THEN o.start_at END,
    e.stated_at, o.start_at) AS event_at,
  CASE WHEN first.mapped THEN e.code WHEN second.mapped THEN e.alt_code
       ELSE coalesce(e.code, e.alt_code) END AS chosen_code,
  CASE WHEN first.mapped THEN e.system WHEN second.mapped THEN e.alt_system
       WHEN e.code IS NULL THEN e.alt_system ELSE e.system END AS chosen_system
FROM current_event e
JOIN cdm.person p ON p.person_id = e.person_id
LEFT JOIN fact_statement f ON f.kind = 'event' AND f.row_key = e.row_key
LEFT JOIN visit_of_stay v ON v.stay_key = e.stay_key
LEFT JOIN visit o ON o.visit_id = v.visit_id AND o.person_id = e.person_id
LEFT JOIN (SELECT DISTINCT system, code, true AS mapped FROM etl.concept_resolution
           WHERE target_concept_id <> 0) first
  ON first.system = coalesce(e.system, '') AND first.code = e.code
LEFT JOIN (SELECT DISTINCT system, code, true AS mapped FROM etl.concept_resolution
           WHERE target_concept_id <> 0) second
  ON second.system = coalesce(e.alt_system, '') AND second.code = e.alt_code
WHERE e.action = 'upsert' AND e.status_code = 'final'
  -- A diagnosis that nobody has confirmed yet is no fact (FHIR condition-ver-status).
  AND (e.category <> 'diagnosis' OR coalesce(e.verification_code, 'confirmed') <> 'unconfirmed')
  AND (f.kept_key IS NULL OR f.kept_key = e.row_key)
) WHERE event_at IS NOT NULL;

-- The unit stay that covers the event, the latest to begin if several do.
CREATE TABLE event_unit_stay AS
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

-- A unit that its sender calls UCUM is read as UCUM, by the exact code: of the loaded vocabulary,
-- else of the table's UCUM column, else of a line of the table that differs in upper case alone
-- (g/dl). HL7 v2 senders write UCUM in OBX-6.3 and French units in OBX-6.1: there the French table
-- comes first. Units of CDA quantities are UCUM by the data type's definition.
CREATE TABLE ucum_unit AS
SELECT unit_code, arg_min(unit_concept_id, choice) AS unit_concept_id FROM (
  SELECT concept_code AS unit_code, min(concept_id) AS unit_concept_id, 1 AS choice
  FROM cdm.concept
  WHERE vocabulary_id = 'UCUM' AND standard_concept = 'S' AND invalid_reason IS NULL
  GROUP BY concept_code
  UNION ALL
  SELECT ucum_code, min(unit_concept_id), 2 FROM map_units
  WHERE unit_concept_id <> 0 GROUP BY ucum_code
  UNION ALL
  SELECT unit_code, unit_concept_id, 3 FROM map_units
  WHERE unit_concept_id <> 0 AND upper_case(unit_code) = upper_case(ucum_code)
) GROUP BY unit_code;

CREATE TABLE event_resolved AS
SELECT
  e.*,
  u.visit_detail_id,
  o.visit_occurrence_id AS visit_ref,
  coalesce(r.ordinal, 0) AS ordinal,
  statement_id(e.row_id, coalesce(r.ordinal, 0), e.statement) AS event_id,
  coalesce(r.target_concept_id, 0) AS concept_id,
  coalesce(r.source_concept_id, 0) AS source_concept_id,
  r.value_concept_id AS mapped_value_concept_id,
  coalesce(t.concept_id, CASE WHEN e.context_code IS NULL THEN ehr.concept_id END)
    AS type_concept_id,
  q.concept_id AS qualifier_concept_id,
  -- An allergy, how it showed itself, and what is doubted or refuted are observations, whatever they
  -- speak of (rules 4, 5).
  CASE WHEN e.category IN ('allergy', 'reaction') OR q.concept_id IS NOT NULL THEN 'observation' ELSE
    CASE coalesce(r.target_domain_id, r.domain_id_of_source, c.domain_id)
    WHEN 'Condition' THEN 'condition_occurrence'
    WHEN 'Procedure' THEN 'procedure_occurrence'
    WHEN 'Drug' THEN 'drug_exposure'
    WHEN 'Measurement' THEN 'measurement'
    WHEN 'Device' THEN 'device_exposure'
    WHEN 'Specimen' THEN 'specimen'
    ELSE 'observation' END END AS cdm_table,
  coalesce(r.target_domain_id, 'Observation') NOT IN ('Condition', 'Procedure', 'Drug',
    'Measurement', 'Device', 'Specimen', 'Observation') AS odd_domain,
  e.category = 'reaction' OR (e.category = 'allergy' AND coalesce(e.sub_code, '') = 'reaction')
    AS is_reaction,
  -- The code of an allergy is the finding itself, or only the substance.
  e.category = 'allergy' AND coalesce(e.sub_code, '') <> 'reaction'
    AND coalesce(r.target_concept_id, 0) <> 0
    AND (r.target_domain_id NOT IN ('Observation', 'Condition') OR s.concept_id IS NOT NULL)
    AS is_substance,
  coalesce(named.concept_id, CASE WHEN r.target_domain_id = 'Drug' THEN drug_allergy.concept_id END,
    0) AS allergy_concept_id,
  CASE WHEN e.format IN ('fhir', 'cda') AND (uc.vocabulary_id IS NOT NULL
         OR (e.format = 'cda' AND e.unit_system IS NULL)) THEN ux.unit_concept_id
       ELSE coalesce(un.unit_concept_id, CASE WHEN uc.vocabulary_id IS NOT NULL
         THEN ux.unit_concept_id END) END AS unit_concept_id,
  op.operator_concept_id
FROM event_kept e
LEFT JOIN etl.concept_resolution r
  ON r.system = coalesce(e.chosen_system, '') AND r.code = e.chosen_code
LEFT JOIN (
  SELECT concept_id FROM cdm.concept WHERE concept_class_id IN
    ('Substance', 'Organism', 'Pharma/Biol Product', 'Physical Object')
) s ON s.concept_id = r.target_concept_id
LEFT JOIN map_default_domain c ON c.category = e.category
LEFT JOIN event_unit_stay u ON u.row_key = e.row_key
LEFT JOIN cdm.visit_occurrence o ON o.visit_occurrence_id = e.visit_occurrence_id
  AND o.person_id = e.person_id
LEFT JOIN map_type_concepts t ON t.context_code = e.context_code
LEFT JOIN map_type_concepts ehr ON ehr.context_code = 'ehr'
LEFT JOIN map_constants q ON q.name = concat('verification_', e.verification_code)
LEFT JOIN map_constants named ON named.name = concat('allergy_', e.sub_code)
  AND e.category = 'allergy'
LEFT JOIN map_constants drug_allergy ON drug_allergy.name = 'allergy_medication'
LEFT JOIN map_units un ON un.unit_code = coalesce(e.unit_code, e.dose_unit_code)
LEFT JOIN ucum_unit ux ON ux.unit_code = e.unit_code
LEFT JOIN (SELECT DISTINCT system, vocabulary_id FROM map_code_systems
           WHERE vocabulary_id = 'UCUM') uc ON upper_case(trimmed(uc.system)) = upper_case(trimmed(e.unit_system))
LEFT JOIN map_operators op ON op.operator = e.operator;

INSERT INTO etl.lineage (cdm_table, cdm_id, record_key, row_key)
SELECT cdm_table, event_id, record_key, row_key FROM event_resolved;
