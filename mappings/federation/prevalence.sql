-- Per period, the persons of the population that are in it on one of its days, and whether they are
-- in the other cohort too on one of them.
SELECT y.period, p.subject_id AS person_id,
  max(CASE WHEN c.subject_id IS NULL THEN 0 ELSE 1 END) AS prevalent
FROM periods y
JOIN population p ON p.cohort_start_date <= y.last_day AND p.cohort_end_date >= y.first_day
LEFT JOIN prevalent c ON c.subject_id = p.subject_id
  AND c.cohort_start_date <= y.last_day AND c.cohort_end_date >= y.first_day
GROUP BY y.period, p.subject_id
