-- What became of every staged row, by name: the row equation's left side.
INSERT INTO etl.row_disposition
SELECT 'patient', s.record_key, s.row_number, s.row_key,
  CASE WHEN n.row_key IS NULL THEN 'superseded'
       WHEN l.cdm_id IS NOT NULL THEN 'mapped' ELSE 'excluded' END,
  CASE WHEN n.row_key IS NULL OR l.cdm_id IS NOT NULL THEN ''
       WHEN c.birth_year IS NULL THEN 'birth_year_unknown' ELSE 'person_without_event' END
FROM staging_patient s
JOIN current_patient c ON c.person_key = s.person_key
LEFT JOIN newest_patient n ON n.record_key = s.record_key AND n.row_number = s.row_number
LEFT JOIN (SELECT DISTINCT cdm_id, record_key, row_key FROM etl.lineage WHERE cdm_table = 'person') l
  ON l.record_key = s.record_key AND l.row_key = s.row_key;

INSERT INTO etl.row_disposition
SELECT 'stay', s.record_key, s.row_number, s.row_key,
  CASE WHEN n.row_key IS NULL THEN 'superseded'
       WHEN s.action = 'delete' THEN 'deleted'
       WHEN l.cdm_id IS NOT NULL THEN 'mapped' ELSE 'excluded' END,
  CASE WHEN n.row_key IS NULL OR s.action = 'delete' OR l.cdm_id IS NOT NULL THEN ''
       WHEN v.merged THEN 'merged_into_admission'
       WHEN a.stay_key IS NOT NULL THEN 'date_missing'
       WHEN r.stay_key IS NULL THEN 'stay_not_realised' ELSE 'person_not_published' END
FROM staging_stay s
LEFT JOIN newest_stay n ON n.record_key = s.record_key AND n.row_number = s.row_number
LEFT JOIN realised_stay r ON r.stay_key = s.row_key
LEFT JOIN visit_of_stay v ON v.stay_key = s.row_key
LEFT JOIN current_stay a ON a.stay_key = s.row_key AND a.start_at IS NULL
LEFT JOIN (SELECT DISTINCT cdm_id, record_key, row_key FROM etl.lineage
           WHERE cdm_table = 'visit_occurrence') l
  ON l.record_key = s.record_key AND l.row_key = s.row_key;

INSERT INTO etl.row_disposition
SELECT 'movement', s.record_key, s.row_number, s.row_key,
  CASE WHEN c.row_key IS NULL THEN 'superseded'
       WHEN s.action = 'delete' THEN 'deleted'
       WHEN f.kept_key <> c.row_key THEN 'duplicate_of'
       WHEN l.cdm_id IS NOT NULL THEN 'mapped' ELSE 'excluded' END,
  CASE WHEN c.row_key IS NULL OR s.action = 'delete' OR l.cdm_id IS NOT NULL
            OR f.kept_key <> c.row_key THEN ''
       WHEN s.movement_code IN ('A03', 'A05', 'A14', 'A21', 'A22', 'A38') THEN 'movement_opens_no_unit_stay'
       WHEN r.stay_key IS NULL THEN 'stay_not_realised' ELSE 'person_not_published' END
FROM staging_movement s
LEFT JOIN current_movement c ON c.record_key = s.record_key AND c.row_number = s.row_number
LEFT JOIN realised_stay r ON r.stay_key = s.stay_key
LEFT JOIN fact_statement f ON f.kind = 'movement' AND f.row_key = c.row_key
LEFT JOIN (SELECT DISTINCT cdm_id, record_key, row_key FROM etl.lineage
           WHERE cdm_table = 'visit_detail') l
  ON l.record_key = s.record_key AND l.row_key = s.row_key;

INSERT INTO etl.row_disposition
SELECT 'event', s.record_key, s.row_number, s.row_key,
  CASE WHEN c.row_key IS NULL THEN 'superseded'
       WHEN s.action = 'delete' THEN 'deleted'
       WHEN f.kept_key <> c.row_key THEN 'duplicate_of'
       WHEN l.row_key IS NOT NULL THEN 'mapped' ELSE 'excluded' END,
  CASE WHEN c.row_key IS NULL OR s.action = 'delete' OR l.row_key IS NOT NULL
            OR f.kept_key <> c.row_key THEN ''
       WHEN s.status_code = 'not_done' THEN 'not_done'
       WHEN s.status_code = 'negated' THEN 'negated'
       WHEN coalesce(s.status_code, '') <> 'final' THEN 'status_not_final'
       WHEN s.category = 'diagnosis' AND s.verification_code = 'unconfirmed' THEN 'unconfirmed'
       WHEN s.start_at IS NULL AND s.stated_at IS NULL THEN 'date_missing'
       ELSE 'person_not_published' END
FROM staging_event s
LEFT JOIN current_event c ON c.record_key = s.record_key AND c.row_number = s.row_number
LEFT JOIN fact_statement f ON f.kind = 'event' AND f.row_key = c.row_key
LEFT JOIN (SELECT DISTINCT record_key, row_key FROM etl.lineage
           WHERE cdm_table IN ('condition_occurrence', 'procedure_occurrence', 'drug_exposure',
                               'device_exposure', 'measurement', 'observation', 'specimen')) l
  ON l.record_key = s.record_key AND l.row_key = s.row_key;

INSERT INTO etl.row_disposition
SELECT 'document', s.record_key, s.row_number, s.row_key,
  CASE WHEN c.row_key IS NULL THEN 'superseded'
       WHEN s.action = 'delete' THEN 'deleted'
       WHEN f.kept_key <> c.row_key THEN 'duplicate_of'
       WHEN l.cdm_id IS NOT NULL THEN 'mapped' ELSE 'excluded' END,
  CASE WHEN c.row_key IS NULL OR s.action = 'delete' OR l.cdm_id IS NOT NULL
            OR f.kept_key <> c.row_key THEN ''
       WHEN s.event = 'Binary' THEN 'body_of_document'
       WHEN s.text IS NULL THEN 'document_without_text'
       WHEN coalesce(s.status_code, 'F') IN ('preliminary', 'pending', 'not_asked', 'cancelled',
         'deleted', 'P', 'D', 'W', 'X', 'N') THEN 'status_not_final'
       WHEN s.written_at IS NULL AND s.stated_at IS NULL THEN 'date_missing'
       ELSE 'person_not_published' END
FROM staging_document s
LEFT JOIN current_document c ON c.record_key = s.record_key AND c.row_number = s.row_number
LEFT JOIN fact_statement f ON f.kind = 'document' AND f.row_key = c.row_key
LEFT JOIN (SELECT DISTINCT cdm_id, record_key, row_key FROM etl.lineage WHERE cdm_table = 'note') l
  ON l.record_key = s.record_key AND l.row_key = s.row_key;

-- Rows of the site feed derived tables (care_site, provider): they are no one's event.
INSERT INTO etl.row_disposition
SELECT 'structure', record_key, row_number, row_key, 'excluded', 'feeds_derived_table'
FROM staging_structure;

-- What a duplicate said is told by the row that was kept: lineage names both.
INSERT INTO etl.lineage
SELECT l.cdm_table, l.cdm_id, d.record_key, d.row_key, 'duplicate_of'
FROM fact_statement f
JOIN (
  SELECT 'event' AS kind, row_key, record_key FROM current_event
  UNION ALL SELECT 'movement' AS kind, row_key, record_key FROM current_movement
  UNION ALL SELECT 'document' AS kind, row_key, record_key FROM current_document
) d ON d.kind = f.kind AND d.row_key = f.row_key
JOIN etl.lineage l ON l.row_key = f.kept_key
WHERE f.kept_key <> f.row_key;
