-- Who is in the space, under which number, shifted by how much: in memory alone, never in a file.
-- Nothing is cut to a finer day of birth than the space tells.
CREATE OR REPLACE TEMP TABLE study_person AS
SELECT *, CASE WHEN month_of_birth IS NULL THEN study_cut(first_of_birth - days, 'year')
               ELSE study_cut(first_of_birth - days, '{birth}') END AS born
FROM (
  SELECT p.person_id, study_id('person', p.person_id) AS study_person_id,
    study_days(coalesce(k.anchor, p.person_id)) AS days,
    p.month_of_birth,
    CASE WHEN p.month_of_birth BETWEEN 1 AND 12
         THEN make_date(p.year_of_birth, p.month_of_birth, 1)
         ELSE make_date(p.year_of_birth, 1, 1) END AS first_of_birth,
    c.first_day, c.last_day
  FROM core.cdm.person p
  JOIN (
    SELECT person_id, min(first_day) AS first_day, max(last_day) AS last_day
    FROM study_cohort GROUP BY person_id
  ) c ON c.person_id = p.person_id
  LEFT JOIN study_kin k ON k.person_id = p.person_id
  WHERE p.person_id NOT IN (SELECT person_id FROM study_opposed)
);
