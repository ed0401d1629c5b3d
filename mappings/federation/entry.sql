-- Each person's first entry into the target cohort.
SELECT t.subject_id AS person_id, min(t.cohort_start_date) AS entry_date
FROM target t
GROUP BY t.subject_id
