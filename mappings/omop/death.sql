-- death: the stated date, else the end of a stay left with mode 9. A flag without a date is no row.
-- A sender who later says that the person lives (PID-30 N) takes its own PID-29 back, not an exit by
-- mode 9: many senders write N in every message until somebody changes it by hand.
CREATE TABLE death_kept AS
SELECT p.person_id, coalesce(p.death_at, x.end_at) AS death_at, p.person_key
FROM (
  SELECT person_id, person_key, deceased_code, deceased_version,
    CASE WHEN deceased_code IN ('N', 'false') AND deceased_version >= death_version THEN NULL ELSE death_at END
      AS death_at
  FROM current_patient
) p
JOIN cdm.person c ON c.person_id = p.person_id
LEFT JOIN (
  SELECT person_key, end_at FROM (
    SELECT s.person_key, s.end_at,
      row_number() OVER (PARTITION BY s.person_key ORDER BY s.end_at DESC, s.stay_key) AS latest
    FROM realised_stay s
    JOIN map_entry_exit m ON m.code = s.exit_code AND m.direction = 'exit'
    JOIN map_constants c ON c.name = 'discharge_deceased' AND c.concept_id = m.concept_id
    WHERE s.end_at IS NOT NULL
  ) WHERE latest = 1
) x ON x.person_key = p.person_key
WHERE coalesce(p.death_at, x.end_at) IS NOT NULL;

INSERT INTO cdm.death BY NAME
SELECT d.person_id, day_of(d.death_at) AS death_date, d.death_at AS death_datetime,
  t.concept_id AS death_type_concept_id, 0 AS cause_concept_id, 0 AS cause_source_concept_id
FROM death_kept d
LEFT JOIN map_type_concepts t ON t.context_code = 'death_hospital';

INSERT INTO etl.lineage (cdm_table, cdm_id, record_key, row_key)
SELECT 'death', d.person_id, s.record_key, s.row_key
FROM death_kept d
JOIN newest_patient s ON s.person_key = d.person_key;
