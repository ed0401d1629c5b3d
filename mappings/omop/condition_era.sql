-- condition_era (derived; OHDSI's era script): occurrences of one concept with at most 30 days from
-- the end of what came before to the next start. An occurrence without an end lasts one day. The
-- days are counted from the latest end so far, so that a short occurrence inside a long one ends
-- nothing. An era's id comes from its first occurrence: it belongs to one era of this table alone.
INSERT INTO cdm.condition_era BY NAME
SELECT
  fan_out_id(arg_min(condition_occurrence_id, place), 1000000) AS condition_era_id,
  person_id,
  condition_concept_id,
  min(first_day) AS condition_era_start_date,
  max(last_day) AS condition_era_end_date,
  count(*) AS condition_occurrence_count
FROM (
  SELECT *, sum(CASE WHEN first_day <= days_after(covered_until, 30) THEN 0 ELSE 1 END) OVER (
    PARTITION BY person_id, condition_concept_id ORDER BY place
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS era
  FROM (
    SELECT *, max(last_day) OVER (
      PARTITION BY person_id, condition_concept_id ORDER BY place
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
    FROM (
      SELECT condition_occurrence_id, person_id, condition_concept_id,
        condition_start_date AS first_day,
        coalesce(condition_end_date, days_after(condition_start_date, 1)) AS last_day,
        row_number() OVER (
          PARTITION BY person_id, condition_concept_id
          ORDER BY condition_start_date, condition_occurrence_id) AS place
      FROM cdm.condition_occurrence
      WHERE condition_concept_id <> 0
    )
  )
)
GROUP BY person_id, condition_concept_id, era;
