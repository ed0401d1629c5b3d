-- visit_detail: one row per movement into a unit; it ends where the next movement of the visit begins.
-- Discharges (A03) only close; leaves (A21, A22) neither open nor close.
CREATE TABLE unit_stay AS
SELECT *, coalesce(next_start, visit_end) AS end_at FROM (
  SELECT m.row_id, m.row_key, m.record_key, m.person_id, m.movement_code, m.class_code, m.start_at,
    m.care_site_id, m.provider_id, v.visit_id, w.end_at AS visit_end,
    lead(m.start_at) OVER (PARTITION BY v.visit_id ORDER BY m.start_at, m.version, m.row_id)
      AS next_start
  FROM told_movement m
  JOIN visit_of_stay v ON v.stay_key = m.stay_key
  JOIN visit w ON w.visit_id = v.visit_id
  WHERE m.action = 'upsert' AND m.movement_code NOT IN ('A05', 'A14', 'A21', 'A22', 'A38')
) WHERE movement_code <> 'A03';

INSERT INTO cdm.visit_detail BY NAME
SELECT
  u.row_id AS visit_detail_id,
  u.person_id,
  coalesce(c.visit_concept_id, 0) AS visit_detail_concept_id,
  day_of(u.start_at) AS visit_detail_start_date,
  u.start_at AS visit_detail_start_datetime,
  day_of(u.end_at) AS visit_detail_end_date,
  u.end_at AS visit_detail_end_datetime,
  t.concept_id AS visit_detail_type_concept_id,
  u.provider_id,
  u.care_site_id,
  source_text(u.class_code) AS visit_detail_source_value,
  0 AS visit_detail_source_concept_id,
  0 AS admitted_from_concept_id,
  0 AS discharged_to_concept_id,
  lag(u.row_id) OVER (
    PARTITION BY u.visit_id ORDER BY u.start_at, u.row_id) AS preceding_visit_detail_id,
  u.visit_id AS visit_occurrence_id
FROM unit_stay u
JOIN cdm.visit_occurrence o ON o.visit_occurrence_id = u.visit_id
LEFT JOIN map_visit_class c ON c.code = u.class_code
LEFT JOIN map_type_concepts t ON t.context_code = 'encounter';

INSERT INTO etl.lineage (cdm_table, cdm_id, record_key, row_key)
SELECT 'visit_detail', u.row_id, u.record_key, u.row_key
FROM unit_stay u
JOIN cdm.visit_detail d ON d.visit_detail_id = u.row_id;
