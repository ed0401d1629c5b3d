-- The kind of care site where each person entered: that of the stay that holds the day of entry, the
-- last to begin, of those the smallest id. Who had no stay is not among the rows.
WITH stays AS (
  SELECT e.person_id, v.care_site_id,
    row_number() OVER (
      PARTITION BY e.person_id ORDER BY v.visit_start_date DESC, v.visit_occurrence_id
    ) AS place
  FROM entry e
  JOIN cdm.visit_occurrence v ON v.person_id = e.person_id
  WHERE e.entry_date >= v.visit_start_date
    AND e.entry_date <= coalesce(v.visit_end_date, v.visit_start_date)
)
SELECT s.person_id, c.place_of_service_concept_id, c.place_of_service_source_value
FROM stays s
JOIN cdm.care_site c ON c.care_site_id = s.care_site_id
WHERE s.place = 1
