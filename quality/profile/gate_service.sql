-- By service (care_site): its days with a stay in the last 400 days, the last of them, and the
-- longest pause between two (a ward that closes in August has one of weeks).
CREATE OR REPLACE TEMP TABLE gate_service AS
SELECT care_site_id, count(*) AS days, max(day) AS last_day, coalesce(max(pause), 0) AS longest_pause
FROM (
  SELECT care_site_id, day,
    day - lag(day) OVER (PARTITION BY care_site_id ORDER BY day) AS pause
  FROM (
    SELECT DISTINCT care_site_id, visit_detail_start_date AS day FROM cdm.visit_detail
    WHERE care_site_id IS NOT NULL
      AND visit_detail_start_date > {as_of} - INTERVAL 400 DAY) d) p
GROUP BY care_site_id;
