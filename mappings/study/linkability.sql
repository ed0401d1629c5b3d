-- How well somebody who holds another space of the same persons could join them by what is told of
-- them: the share of persons whose concepts are theirs alone, then with the days between events.
-- Ids, dates and row order join nothing; a rare disease still does, and no shift hides it.
WITH told AS (
  SELECT person_id, 'c' || condition_concept_id AS what, condition_start_date AS day
    FROM space.cdm.condition_occurrence
  UNION ALL SELECT person_id, 'p' || procedure_concept_id, procedure_date
    FROM space.cdm.procedure_occurrence
  UNION ALL SELECT person_id, 'd' || drug_concept_id, drug_exposure_start_date
    FROM space.cdm.drug_exposure
  UNION ALL SELECT person_id, 'm' || measurement_concept_id, measurement_date
    FROM space.cdm.measurement
  UNION ALL SELECT person_id, 'o' || observation_concept_id, observation_date
    FROM space.cdm.observation
  UNION ALL SELECT person_id, 'v' || visit_concept_id, visit_start_date
    FROM space.cdm.visit_occurrence
),
since AS (
  SELECT person_id, what, day - min(day) OVER (PARTITION BY person_id) AS days FROM told
),
signature AS (
  SELECT p.person_id, p.gender_concept_id, p.year_of_birth,
    hash(list_sort(list(DISTINCT what))) AS concepts,
    hash(list_sort(list(what || '@' || days))) AS intervals
  FROM space.cdm.person p LEFT JOIN since s ON s.person_id = p.person_id
  GROUP BY p.person_id, p.gender_concept_id, p.year_of_birth
)
SELECT count(*) AS persons,
  count(CASE WHEN same_concepts = 1 THEN 1 END) AS unique_by_concepts,
  count(CASE WHEN same_intervals = 1 THEN 1 END) AS unique_by_concepts_and_intervals,
  count(CASE WHEN same_group = 1 THEN 1 END) AS unique_by_sex_and_birth_year,
  count(CASE WHEN same_group < 11 THEN 1 END) AS in_groups_under_11
FROM (
  SELECT count(*) OVER (PARTITION BY concepts) AS same_concepts,
    count(*) OVER (PARTITION BY intervals) AS same_intervals,
    count(*) OVER (PARTITION BY gender_concept_id, year_of_birth) AS same_group
  FROM signature
);
