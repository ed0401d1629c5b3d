-- Staged rows of the last 500 days by source, kind and the day on which the sender stated them. By
-- that day and not by the event's: coded stays (PMSI) come a month or two after the stay.
CREATE OR REPLACE TEMP TABLE gate_feed_day AS
SELECT source, kind, CAST(stated_at AS DATE) AS day, count(*) AS n
FROM (
  SELECT source, 'stay' AS kind, stated_at FROM staging_stay
  UNION ALL SELECT source, 'movement', stated_at FROM staging_movement
  UNION ALL SELECT source, coalesce(category, 'event'), stated_at FROM staging_event
  UNION ALL SELECT source, 'document', stated_at FROM staging_document) s
WHERE stated_at > {as_of} - INTERVAL 500 DAY AND stated_at < {as_of} + INTERVAL 1 DAY
GROUP BY source, kind, CAST(stated_at AS DATE);
