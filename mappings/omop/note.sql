-- note: the scrubbed text of letters, reports and text results.
CREATE TABLE document_kept AS
SELECT d.* REPLACE (statement_id(d.row_id, 0, f.statement) AS row_id), o.visit_occurrence_id,
  coalesce(d.written_at, d.stated_at) AS note_at
FROM current_document d
JOIN cdm.person p ON p.person_id = d.person_id
LEFT JOIN fact_statement f ON f.kind = 'document' AND f.row_key = d.row_key
LEFT JOIN visit_of_stay v ON v.stay_key = d.stay_key
LEFT JOIN cdm.visit_occurrence o
  ON o.visit_occurrence_id = v.visit_id AND o.person_id = d.person_id
WHERE d.action = 'upsert' AND d.text IS NOT NULL AND d.event <> 'Binary'
  AND coalesce(d.written_at, d.stated_at) IS NOT NULL
  AND (f.kept_key IS NULL OR f.kept_key = d.row_key)
  AND coalesce(d.status_code, 'final') NOT IN
    ('deleted', 'preliminary', 'pending', 'cancelled', 'not_asked', 'D', 'W', 'P', 'X', 'N');

INSERT INTO cdm.note BY NAME
SELECT
  d.row_id AS note_id,
  d.person_id,
  day_of(d.note_at) AS note_date,
  d.note_at AS note_datetime,
  coalesce(t.concept_id, fallback.concept_id) AS note_type_concept_id,
  coalesce(n.note_class_concept_id, 0) AS note_class_concept_id,
  source_text(d.title) AS note_title,
  d.text AS note_text,
  encoding.concept_id AS encoding_concept_id,
  language.concept_id AS language_concept_id,
  d.provider_id,
  d.visit_occurrence_id,
  source_text(d.code) AS note_source_value
FROM document_kept d
LEFT JOIN map_note_types n ON n.code = d.code
LEFT JOIN map_type_concepts t ON t.context_code = n.type_context
LEFT JOIN map_type_concepts fallback ON fallback.context_code = 'note'
LEFT JOIN map_constants encoding ON encoding.name = 'encoding_utf8'
LEFT JOIN map_constants language ON language.name = 'language_french';

INSERT INTO etl.lineage (cdm_table, cdm_id, record_key, row_key)
SELECT 'note', d.row_id, d.record_key, d.row_key FROM document_kept d;
