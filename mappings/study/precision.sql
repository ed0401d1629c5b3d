-- How much of its day each event was told, from the row that was staged: year, month, day. An event
-- or a note that says no time of its own has that of its message: `received`. Messages of one minute
-- about eleven persons are an export: its time is the same for all, and is shown for nobody.
CREATE OR REPLACE TEMP TABLE study_told AS
SELECT l.cdm_table, l.cdm_id, s.person_id, s.stated_at,
  CASE WHEN s.start_at IS NULL AND NOT (s.category IN ('diagnosis', 'act') AND s.stay_key IS NOT NULL)
       THEN 'received' WHEN s.date_precision IN ('year', 'month') THEN s.date_precision
       ELSE 'day' END AS precision
FROM core.etl.lineage l
JOIN staging_event s ON s.record_key = l.record_key AND s.row_key = l.row_key
JOIN study_person p ON p.person_id = s.person_id
UNION ALL
SELECT l.cdm_table, l.cdm_id, s.person_id, s.stated_at,
  CASE WHEN s.written_at IS NULL THEN 'received' ELSE 'day' END
FROM core.etl.lineage l
JOIN staging_document s ON s.record_key = l.record_key AND s.row_key = l.row_key
JOIN study_person p ON p.person_id = s.person_id
WHERE l.cdm_table = 'note';

CREATE OR REPLACE TEMP TABLE study_precision AS
SELECT t.cdm_table, t.cdm_id,
  -- The least precise of the rows that tell the event.
  min(CASE t.precision WHEN 'year' THEN '1year' WHEN 'month' THEN '2month'
      WHEN 'received' THEN CASE WHEN c.persons IS NULL THEN '4day' ELSE '0export' END
      ELSE '4day' END)[2:] AS precision
FROM study_told t
LEFT JOIN (
  SELECT date_trunc('minute', stated_at) AS minute, count(DISTINCT person_id) AS persons
  FROM study_told WHERE precision = 'received' GROUP BY 1 HAVING count(DISTINCT person_id) >= 11
) c ON c.minute = date_trunc('minute', t.stated_at)
GROUP BY t.cdm_table, t.cdm_id;
DROP TABLE study_told;
