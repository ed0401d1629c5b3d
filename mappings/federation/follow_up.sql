-- Days from entry to the end of the observation period that holds it, and to the first outcome after
-- the day of entry; whether there was one up to that day. Nobody is followed outside a period.
WITH observed AS (
  SELECT e.person_id, e.entry_date, max(p.observation_period_end_date) AS last_date
  FROM entry e
  JOIN cdm.observation_period p ON p.person_id = e.person_id
  WHERE e.entry_date >= p.observation_period_start_date
    AND e.entry_date <= p.observation_period_end_date
  GROUP BY e.person_id, e.entry_date
)
SELECT s.person_id,
  max(date_diff('day', s.entry_date, s.last_date)) AS last_day,
  min(CASE WHEN o.cohort_start_date > s.entry_date
    THEN date_diff('day', s.entry_date, o.cohort_start_date) END) AS outcome_day,
  max(CASE WHEN o.cohort_start_date <= s.entry_date THEN 1 ELSE 0 END) AS prior
FROM observed s
LEFT JOIN outcome o ON o.subject_id = s.person_id
GROUP BY s.person_id
