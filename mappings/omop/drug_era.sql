-- drug_era (derived; OHDSI's era script): exposures to one ingredient with at most 30 days from the
-- end of what came before to the next start. A product counts for each of its ingredients
-- (concept_ancestor), an ingredient for itself. gap_days are the days of the era less the days of
-- its exposures, those that overlap counted once; both as differences of dates, as OHDSI counts.
-- An era's id comes from its first exposure and that exposure's ingredient, in their order.
INSERT INTO cdm.drug_era BY NAME
WITH product AS (
  SELECT DISTINCT drug_concept_id FROM cdm.drug_exposure WHERE drug_concept_id <> 0
),
ingredient AS (
  SELECT part.drug_concept_id, i.concept_id AS ingredient_concept_id
  FROM (
    SELECT p.drug_concept_id, a.ancestor_concept_id AS concept_id
    FROM product p
    JOIN cdm.concept_ancestor a ON a.descendant_concept_id = p.drug_concept_id
    UNION
    SELECT drug_concept_id, drug_concept_id AS concept_id FROM product
  ) part
  JOIN cdm.concept i ON i.concept_id = part.concept_id
  WHERE i.concept_class_id = 'Ingredient' AND i.standard_concept = 'S' AND i.domain_id = 'Drug'
),
exposed AS (
  SELECT e.person_id, i.ingredient_concept_id, e.drug_exposure_start_date AS first_day,
    coalesce(e.drug_exposure_end_date, days_after(e.drug_exposure_start_date, 1)) AS last_day,
    fan_out_id(e.drug_exposure_id, 1000000 * dense_rank() OVER (
      PARTITION BY e.drug_exposure_id ORDER BY i.ingredient_concept_id)) AS share_id,
    row_number() OVER (
      PARTITION BY e.person_id, i.ingredient_concept_id
      ORDER BY e.drug_exposure_start_date, e.drug_exposure_id) AS place
  FROM cdm.drug_exposure e
  JOIN ingredient i ON i.drug_concept_id = e.drug_concept_id
),
covered AS (
  SELECT *, max(last_day) OVER (
    PARTITION BY person_id, ingredient_concept_id ORDER BY place
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
  FROM exposed
),
parted AS (
  SELECT *,
    sum(CASE WHEN first_day <= days_after(covered_until, 30) THEN 0 ELSE 1 END) OVER (
      PARTITION BY person_id, ingredient_concept_id ORDER BY place
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS era,
    -- What the exposure adds to the days covered before it.
    CASE WHEN covered_until IS NULL OR first_day > covered_until THEN days_between(first_day, last_day)
         WHEN last_day > covered_until THEN days_between(covered_until, last_day) ELSE 0 END AS days_added
  FROM covered
)
SELECT
  arg_min(share_id, place) AS drug_era_id,
  person_id,
  ingredient_concept_id AS drug_concept_id,
  min(first_day) AS drug_era_start_date,
  max(last_day) AS drug_era_end_date,
  count(*) AS drug_exposure_count,
  days_between(min(first_day), max(last_day)) - sum(days_added) AS gap_days
FROM parted
GROUP BY person_id, ingredient_concept_id, era;
