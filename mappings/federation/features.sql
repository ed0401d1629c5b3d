-- Which persons had each wanted feature in the days before entry, the day of entry included.
-- `events` holds the tables of the wanted domains and no other: a study card may not grant them.
WITH concepts AS (
  SELECT w.feature, w.domain, w.concept_id FROM wanted w
  UNION
  SELECT w.feature, w.domain, a.descendant_concept_id
  FROM wanted w
  JOIN cdm.concept_ancestor a ON a.ancestor_concept_id = w.concept_id
  WHERE w.descendants = 1
)
SELECT DISTINCT c.feature, e.person_id
FROM events e
JOIN concepts c ON c.domain = e.domain AND c.concept_id = e.concept_id
JOIN entry i ON i.person_id = e.person_id
WHERE date_diff('day', e.start_date, i.entry_date) BETWEEN 0 AND $window_days
