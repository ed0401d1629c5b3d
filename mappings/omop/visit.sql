-- Which stay is which visit. Realised stays only; an emergency stay that ends in an admission of the
-- same person and site within 24 hours is one visit with it (reference: French feeds, "Stays").

CREATE TABLE realised_stay AS
SELECT s.*, c.visit_concept_id,
  c.visit_concept_id = e.concept_id AS is_emergency,
  c.visit_concept_id = i.concept_id AS is_inpatient
FROM current_stay s
LEFT JOIN map_visit_class c ON c.code = s.class_code
LEFT JOIN map_constants e ON e.name = 'visit_emergency'
LEFT JOIN map_constants i ON i.name = 'visit_inpatient'
WHERE coalesce(s.status_code, 'realised') = 'realised' AND coalesce(c.realised, 'true') = 'true'
  -- After a cancelled admission only a new one brings the stay back, never a mere update.
  AND (NOT s.after_cancellation OR s.status_code IS NOT NULL)
  AND s.start_at IS NOT NULL;

-- The unit of admission, as its movement says now (a Z99 may have corrected it).
CREATE TABLE admission_unit AS
SELECT stay_key, care_site_id FROM (
  SELECT stay_key, care_site_id,
    row_number() OVER (PARTITION BY stay_key ORDER BY start_at, version, row_id) AS first
  FROM told_movement
  WHERE action = 'upsert' AND movement_code IN ('A01', 'A04') AND care_site_id IS NOT NULL
) WHERE first = 1;

CREATE TABLE emergency_admission AS
SELECT emergency_key, stay_key FROM (
  SELECT e.stay_key AS emergency_key, i.stay_key,
    row_number() OVER (PARTITION BY e.stay_key ORDER BY i.start_at, i.stay_key) AS nearest,
    row_number() OVER (PARTITION BY i.stay_key ORDER BY e.start_at DESC, e.stay_key) AS latest
  FROM realised_stay e
  JOIN realised_stay i
    ON i.person_key = e.person_key AND i.stay_key <> e.stay_key
   AND coalesce(i.site_code, '') = coalesce(e.site_code, '')
  WHERE e.is_emergency AND i.is_inpatient
    AND i.start_at >= e.start_at AND e.end_at IS NOT NULL
    AND i.start_at <= hours_after(e.end_at, 24)
) WHERE nearest = 1 AND latest = 1;

CREATE TABLE visit_of_stay AS
SELECT s.stay_key, coalesce(i.visit_id, s.visit_id) AS visit_id,
  coalesce(a.stay_key, s.stay_key) AS visit_key, a.stay_key IS NOT NULL AS merged
FROM realised_stay s
LEFT JOIN emergency_admission a ON a.emergency_key = s.stay_key
LEFT JOIN realised_stay i ON i.stay_key = a.stay_key;

-- A visit in progress ends at as_of when it is inpatient, else on the day it began.
CREATE TABLE visit AS
SELECT
  s.visit_id, s.stay_key, s.person_key, s.person_id, s.version,
  CASE WHEN s.is_inpatient AND (s.ever_emergency = 1 OR e.stay_key IS NOT NULL)
       THEN er.concept_id ELSE s.visit_concept_id END AS visit_concept_id,
  s.class_code,
  coalesce(e.start_at, s.start_at) AS start_at,
  CASE WHEN s.end_at IS NOT NULL THEN s.end_at
       WHEN s.is_inpatient THEN greatest(p.as_of, s.start_at)
       ELSE s.start_at END AS end_at,
  s.end_at IS NULL AS open,
  s.entry_code, s.exit_code, coalesce(u.care_site_id, s.care_site_id) AS care_site_id,
  s.provider_id
FROM realised_stay s
LEFT JOIN admission_unit u ON u.stay_key = s.stay_key
JOIN visit_of_stay v ON v.stay_key = s.stay_key AND NOT v.merged
LEFT JOIN (
  SELECT a.stay_key, min(r.start_at) AS start_at
  FROM emergency_admission a JOIN realised_stay r ON r.stay_key = a.emergency_key
  GROUP BY a.stay_key
) e ON e.stay_key = s.stay_key
LEFT JOIN map_constants er ON er.name = 'visit_emergency_and_inpatient'
CROSS JOIN run_parameter p;
