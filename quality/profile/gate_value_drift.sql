-- Population stability index over the release's tenths and Kolmogorov-Smirnov distance at its
-- deciles. `error` is of the distance, over persons, because the values of one person are alike;
-- `season_ks` is the distance that the same weeks of the year before had.
CREATE OR REPLACE TEMP TABLE gate_value_drift AS
WITH point AS (
  SELECT part_of, source, concept_id, unit_concept_id, n, persons, base_persons, nth,
    parts[nth] * 1.0 / n AS below, base_parts[nth] * 1.0 / base_n AS base_below
  FROM gate_value_part, (SELECT unnest(range(1, 11)) AS nth) k),
step AS (
  SELECT *, greatest(0.005, below - coalesce(lag(below) OVER w, 0)) AS p,
    greatest(0.005, base_below - coalesce(lag(base_below) OVER w, 0)) AS q
  FROM point
  WINDOW w AS (PARTITION BY part_of, source, concept_id, unit_concept_id ORDER BY nth)),
measured AS (
  SELECT part_of, source, concept_id, unit_concept_id, any_value(n) AS n,
    any_value(persons) AS persons, any_value(base_persons) AS base_persons,
    sum((p - q) * ln(p / q)) AS psi, max(abs(below - base_below)) AS ks
  FROM step GROUP BY part_of, source, concept_id, unit_concept_id)
SELECT r.source, r.concept_id, r.unit_concept_id, r.psi, r.ks,
  0.5 * sqrt(1.0 / r.persons + 1.0 / r.base_persons) AS error, s.ks AS season_ks
FROM measured r
LEFT JOIN measured s ON s.part_of = 'season' AND s.n >= 100 AND s.source = r.source
  AND s.concept_id = r.concept_id AND s.unit_concept_id = r.unit_concept_id
WHERE r.part_of = 'recent' AND r.n >= 100 AND r.persons >= 20;
