-- What each person was at entry.
SELECT e.person_id,
  CAST(extract(YEAR FROM e.entry_date) AS BIGINT) - p.year_of_birth AS age,
  p.gender_concept_id,
  CAST(extract(YEAR FROM e.entry_date) AS BIGINT) AS entry_year
FROM entry e
JOIN cdm.person p ON p.person_id = e.person_id
