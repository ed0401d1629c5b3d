-- Rows of the last fortnight by source and kind, and how many were to be expected: the rate of the
-- ninety days before or that of the same fortnight a year ago, whichever is lower (August). A source
-- that pauses for a week at times has no rate by the fortnight.
CREATE OR REPLACE TEMP TABLE gate_feed_volume AS
SELECT source, kind, n,
  CASE WHEN first_age >= 379 THEN least(before, season) ELSE before END AS expected
FROM (
  SELECT source, kind,
    coalesce(sum(CASE WHEN age < 14 THEN n END), 0) AS n,
    coalesce(sum(CASE WHEN age BETWEEN 14 AND 103 THEN n END), 0) * 14.0 / 90 AS before,
    coalesce(sum(CASE WHEN age BETWEEN 365 AND 378 THEN n END), 0) AS season,
    max(age) AS first_age,
    max(CASE WHEN age BETWEEN 14 AND 103 THEN pause END) AS longest_pause,
    count(CASE WHEN age BETWEEN 14 AND 103 THEN 1 END) AS days
  FROM (
    SELECT source, kind, n, {as_of} - day AS age,
      day - lag(day) OVER (PARTITION BY source, kind ORDER BY day) AS pause
    FROM gate_feed_day) d
  GROUP BY source, kind) f
WHERE days >= 30 AND longest_pause <= 7;
