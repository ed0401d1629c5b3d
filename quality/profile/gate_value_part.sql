-- How many values lie at or below each decile of the published release, by parameter: of the days
-- that it knew, and by source of the last four weeks and of the same weeks a year ago.
CREATE OR REPLACE TEMP TABLE gate_value_part AS
WITH told AS (
  SELECT l.cdm_id, min(s.source) AS source
  FROM staging_event s
  JOIN etl.lineage l ON l.record_key = s.record_key AND l.row_key = s.row_key
  WHERE l.cdm_table = 'measurement' AND l.role = 'source'
    AND (s.start_at >= {as_of} - INTERVAL 28 DAY
      OR s.start_at BETWEEN {as_of} - INTERVAL 393 DAY AND {as_of} - INTERVAL 364 DAY)
  GROUP BY l.cdm_id),
value AS (
  SELECT 'known' AS part_of, '' AS source, m.* FROM cdm.measurement m
  JOIN gate_since g ON m.measurement_date <= g.day
  UNION ALL
  SELECT CASE WHEN m.measurement_date > {as_of} - INTERVAL 60 DAY THEN 'recent' ELSE 'season' END,
    t.source, m.*
  FROM cdm.measurement m JOIN told t ON t.cdm_id = m.measurement_id)
SELECT part_of, source, b.concept_id, b.unit_concept_id, count(*) AS n,
  count(DISTINCT person_id) AS persons,
  any_value(b.persons) AS base_persons, any_value(b.n) AS base_n, any_value(b.parts) AS base_parts,
  [count(CASE WHEN v.value_as_number <= b.deciles[1] THEN 1 END),
   count(CASE WHEN v.value_as_number <= b.deciles[2] THEN 1 END),
   count(CASE WHEN v.value_as_number <= b.deciles[3] THEN 1 END),
   count(CASE WHEN v.value_as_number <= b.deciles[4] THEN 1 END),
   count(CASE WHEN v.value_as_number <= b.deciles[5] THEN 1 END),
   count(CASE WHEN v.value_as_number <= b.deciles[6] THEN 1 END),
   count(CASE WHEN v.value_as_number <= b.deciles[7] THEN 1 END),
   count(CASE WHEN v.value_as_number <= b.deciles[8] THEN 1 END),
   count(CASE WHEN v.value_as_number <= b.deciles[9] THEN 1 END), count(*)] AS parts
FROM value v
JOIN base_profile_value b ON b.concept_id = v.measurement_concept_id
  AND b.unit_concept_id = coalesce(v.unit_concept_id, 0)
CROSS JOIN gate_since g
WHERE v.value_as_number IS NOT NULL AND b.n >= 200 AND b.persons >= 30 AND g.base_persons >= 100
GROUP BY part_of, source, b.concept_id, b.unit_concept_id;
