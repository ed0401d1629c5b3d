-- What rows refer to, by its one key. A server's id of a unit, a professional, a medication or a
-- device is another name of a structure row (alias_key); every row that uses it gets the row's own
-- key and id, so that feeds which know the number and feeds which know the id mean the same thing.

CREATE TABLE current_structure AS
SELECT * FROM (
  SELECT s.*, row_number() OVER (
    PARTITION BY row_key ORDER BY version DESC, record_key, row_number) AS newest
  FROM staging_structure s
) WHERE newest = 1;

-- The name's last statement holds. A name may lead to a row that is itself a name (a role names its
-- professional by the server's id): two steps, and no more, so that a circle ends.
CREATE TABLE structure_alias AS
WITH named AS (
  SELECT structure_type, alias_key, row_key, row_id FROM (
    SELECT s.*, row_number() OVER (
      PARTITION BY structure_type, alias_key ORDER BY version DESC, record_key, row_number) AS newest
    FROM staging_structure s
    WHERE s.alias_key IS NOT NULL AND s.alias_key <> s.row_key AND s.action = 'upsert'
  ) WHERE newest = 1
)
SELECT n.structure_type, n.alias_key, coalesce(m.row_key, n.row_key) AS row_key,
  coalesce(m.row_id, n.row_id) AS row_id
FROM named n
LEFT JOIN named m ON m.structure_type = n.structure_type AND m.alias_key = n.row_key;

CREATE VIEW referred_stay AS
SELECT s.* REPLACE (
  coalesce(u.row_key, s.unit_key) AS unit_key,
  coalesce(u.row_id, s.care_site_id) AS care_site_id,
  coalesce(p.row_key, s.provider_key) AS provider_key,
  coalesce(p.row_id, s.provider_id) AS provider_id)
FROM staging_stay s
LEFT JOIN structure_alias u ON u.structure_type = 'unit' AND u.alias_key = s.unit_key
LEFT JOIN structure_alias p ON p.structure_type = 'provider' AND p.alias_key = s.provider_key;

CREATE VIEW referred_movement AS
SELECT s.* REPLACE (
  coalesce(u.row_key, s.unit_key) AS unit_key,
  coalesce(u.row_id, s.care_site_id) AS care_site_id,
  coalesce(p.row_key, s.provider_key) AS provider_key,
  coalesce(p.row_id, s.provider_id) AS provider_id)
FROM staging_movement s
LEFT JOIN structure_alias u ON u.structure_type = 'unit' AND u.alias_key = s.unit_key
LEFT JOIN structure_alias p ON p.structure_type = 'provider' AND p.alias_key = s.provider_key;

-- A document whose content is a record of its own (FHIR Binary) has its text.
CREATE VIEW referred_document AS
SELECT s.* REPLACE (
  coalesce(s.text, b.text) AS text,
  CASE WHEN s.text IS NULL THEN b.date_spans ELSE s.date_spans END AS date_spans,
  CASE WHEN s.text IS NULL AND b.text IS NOT NULL THEN b.entities ELSE s.entities END AS entities,
  coalesce(u.row_key, s.unit_key) AS unit_key,
  coalesce(u.row_id, s.care_site_id) AS care_site_id,
  coalesce(p.row_key, s.provider_key) AS provider_key,
  coalesce(p.row_id, s.provider_id) AS provider_id)
FROM staging_document s
LEFT JOIN (
  SELECT * FROM (
    SELECT d.*, row_number() OVER (
      PARTITION BY person_key, body_key ORDER BY version DESC, record_key, row_number) AS newest
    FROM staging_document d WHERE d.event = 'Binary' AND d.action = 'upsert'
  ) WHERE newest = 1
) b ON b.body_key = s.body_key AND b.person_key = s.person_key AND s.event <> 'Binary'
LEFT JOIN structure_alias u ON u.structure_type = 'unit' AND u.alias_key = s.unit_key
LEFT JOIN structure_alias p ON p.structure_type = 'provider' AND p.alias_key = s.provider_key;

-- A drug or a device that the event only refers to speaks through its own row.
CREATE VIEW referred_event AS
SELECT s.* REPLACE (
  coalesce(u.row_key, s.unit_key) AS unit_key,
  coalesce(u.row_id, s.care_site_id) AS care_site_id,
  coalesce(p.row_key, s.provider_key) AS provider_key,
  coalesce(p.row_id, s.provider_id) AS provider_id,
  coalesce(s.code, CASE WHEN s.alt_code IS NULL THEN c.code END) AS code,
  CASE WHEN s.code IS NULL AND s.alt_code IS NULL AND c.code IS NOT NULL THEN c.system
       ELSE s.system END AS system)
FROM staging_event s
LEFT JOIN structure_alias u ON u.structure_type = 'unit' AND u.alias_key = s.unit_key
LEFT JOIN structure_alias p ON p.structure_type = 'provider' AND p.alias_key = s.provider_key
LEFT JOIN (
  SELECT alias_key, min(row_key) AS row_key FROM structure_alias
  WHERE structure_type IN ('medication', 'device') GROUP BY alias_key
) a ON a.alias_key = s.coded_key
LEFT JOIN current_structure c ON c.row_key = coalesce(a.row_key, s.coded_key)
  AND c.structure_type IN ('medication', 'device') AND c.action = 'upsert';
