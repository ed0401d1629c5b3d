-- The current version of every fact: the last as its sender stated it (version sorts so).

CREATE TABLE current_patient AS
SELECT
  person_key,
  max(person_id) AS person_id,
  max(version) AS version,
  last_stated(gender_code, 'gender_code', cleared, version) AS gender_code,
  last_stated(birth_year, 'birth_year', cleared, version) AS birth_year,
  last_stated(birth_month, 'birth_month', cleared, version) AS birth_month,
  last_stated(death_at, 'death_at', cleared, version) AS death_at,
  last_stated(deceased_code, 'deceased_code', cleared, version) AS deceased_code,
  max(version) FILTER (WHERE deceased_code IS NOT NULL) AS deceased_version,
  max(version) FILTER (WHERE death_at IS NOT NULL) AS death_version,
  last_stated(departement, 'departement', cleared, version) AS departement,
  last_stated(location_id, 'location_id', cleared, version) AS location_id,
  last_stated(mother_id, 'mother_id', cleared, version) AS mother_id
FROM staging_patient
WHERE action = 'upsert'
GROUP BY person_key;

CREATE TABLE newest_patient AS
SELECT person_key, record_key, row_number, row_key FROM (
  SELECT s.*, row_number() OVER (
    PARTITION BY person_key ORDER BY version DESC, record_key, row_number) AS newest
  FROM staging_patient s
) WHERE newest = 1;

-- A cancelled admission (A11) deletes what was said before it; what comes after starts anew.
CREATE TABLE stay_alive AS
SELECT s.*, d.version IS NOT NULL AS after_cancellation,
  c.visit_concept_id = k.concept_id AS is_emergency
FROM referred_stay s
LEFT JOIN map_visit_class c ON c.code = s.class_code
LEFT JOIN map_constants k ON k.name = 'visit_emergency'
LEFT JOIN (
  SELECT row_key, max(version) AS version FROM referred_stay WHERE action = 'delete' GROUP BY row_key
) d ON d.row_key = s.row_key
WHERE s.action = 'upsert' AND (d.version IS NULL OR s.version > d.version);

CREATE TABLE newest_stay AS
SELECT row_key, record_key, row_number, action FROM (
  SELECT s.*, row_number() OVER (
    PARTITION BY row_key ORDER BY version DESC, record_key, row_number) AS newest
  FROM referred_stay s
) WHERE newest = 1;

CREATE TABLE current_stay AS
SELECT
  row_key AS stay_key,
  max(row_id) AS visit_id,
  max(person_key) AS person_key,
  max(person_id) AS person_id,
  max(version) AS version,
  last_stated(class_code, 'class_code', cleared, version) AS class_code,
  max(CASE WHEN is_emergency THEN 1 ELSE 0 END) AS ever_emergency,
  bool_or(after_cancellation) AS after_cancellation,
  last_stated(status_code, 'status_code', cleared, version) AS status_code,
  last_stated(site_code, 'site_code', cleared, version) AS site_code,
  last_stated(start_at, 'start_at', cleared, version) AS start_at,
  last_stated(end_at, 'end_at', cleared, version) AS end_at,
  last_stated(entry_code, 'entry_code', cleared, version) AS entry_code,
  last_stated(exit_code, 'exit_code', cleared, version) AS exit_code,
  last_stated(care_site_id, 'care_site_id', cleared, version) AS care_site_id,
  last_stated(provider_id, 'provider_id', cleared, version) AS provider_id
FROM stay_alive
GROUP BY row_key;

CREATE TABLE current_movement AS
SELECT * FROM (
  SELECT m.*, row_number() OVER (
    PARTITION BY row_key ORDER BY version DESC, record_key, row_number) AS newest
  FROM referred_movement m
) WHERE newest = 1;

CREATE TABLE current_event AS
SELECT * FROM (
  SELECT e.*, row_number() OVER (
    PARTITION BY row_key ORDER BY version DESC, record_key, row_number) AS newest
  FROM referred_event e
) WHERE newest = 1;

CREATE TABLE current_document AS
SELECT * FROM (
  SELECT d.*, row_number() OVER (
    PARTITION BY row_key ORDER BY version DESC, record_key, row_number) AS newest
  FROM referred_document d
) WHERE newest = 1;
