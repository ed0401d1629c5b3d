-- person: age at the last day of the space over 89 reads 90, and the year of birth follows from it,
-- so that intervals and the order of ages stay while nobody is told apart by a great age.
INSERT INTO draft.cdm.person BY NAME
SELECT m.study_person_id AS person_id, p.gender_concept_id,
  CASE WHEN l.last_year - year(m.born) > 89 THEN l.last_year - 90 ELSE year(m.born) END AS year_of_birth,
  CASE WHEN {month} AND m.month_of_birth IS NOT NULL AND NOT (l.last_year - year(m.born) > 89)
       THEN month(m.born) END AS month_of_birth,
  CASE WHEN {month} AND m.month_of_birth IS NOT NULL AND NOT (l.last_year - year(m.born) > 89)
       THEN CAST(m.born AS TIMESTAMP) END AS birth_datetime{columns}
FROM study_person m
JOIN core.cdm.person p ON p.person_id = m.person_id
JOIN (
  SELECT person_id, year(max(last_day)) AS last_year FROM (
    SELECT person_id, observation_period_end_date AS last_day FROM draft.cdm.observation_period
    UNION ALL SELECT person_id, death_date FROM draft.cdm.death
  ) GROUP BY person_id
) l ON l.person_id = m.study_person_id
