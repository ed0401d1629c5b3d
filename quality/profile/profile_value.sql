-- What the site's history says of each measurement in each unit: how many, the nine deciles, how many
-- values lie at or below each (ties: a Glasgow score has thirteen values) and in all, and the range
-- learnt from it: each tail as far again as from the median to the thousandth at that end. A range
-- needs 500 values of 50 persons, so that no one person's values make it.
CREATE OR REPLACE TABLE etl.profile_value AS
WITH value AS (
  SELECT person_id, measurement_concept_id AS concept_id,
    coalesce(unit_concept_id, 0) AS unit_concept_id, value_as_number AS v
  FROM cdm.measurement
  WHERE value_as_number IS NOT NULL AND measurement_concept_id <> 0),
tenth AS (
  SELECT concept_id, unit_concept_id, count(*) AS n, count(DISTINCT person_id) AS persons,
    quantile_disc(v, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) AS d,
    quantile_disc(v, [0.001, 0.5, 0.999]) AS tail
  FROM value GROUP BY concept_id, unit_concept_id)
SELECT t.concept_id, t.unit_concept_id, any_value(t.n) AS n, any_value(t.persons) AS persons,
  any_value(t.d) AS deciles,
  [count(CASE WHEN v <= d[1] THEN 1 END), count(CASE WHEN v <= d[2] THEN 1 END),
   count(CASE WHEN v <= d[3] THEN 1 END), count(CASE WHEN v <= d[4] THEN 1 END),
   count(CASE WHEN v <= d[5] THEN 1 END), count(CASE WHEN v <= d[6] THEN 1 END),
   count(CASE WHEN v <= d[7] THEN 1 END), count(CASE WHEN v <= d[8] THEN 1 END),
   count(CASE WHEN v <= d[9] THEN 1 END), count(*)] AS parts,
  any_value(CASE WHEN t.n >= 500 AND t.persons >= 50 THEN 2 * tail[1] - tail[2] END) AS low,
  any_value(CASE WHEN t.n >= 500 AND t.persons >= 50 THEN 2 * tail[3] - tail[2] END) AS high
FROM value r
JOIN tenth t ON t.concept_id = r.concept_id AND t.unit_concept_id = r.unit_concept_id
GROUP BY t.concept_id, t.unit_concept_id;
