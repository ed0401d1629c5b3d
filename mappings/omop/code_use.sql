-- The distinct codes of the current events, with their frequency: what concept_resolution reads.
CREATE TABLE code_use AS
SELECT coalesce(system, '') AS system, code, count(*) AS frequency FROM (
  SELECT system, code FROM referred_event
  UNION ALL SELECT alt_system, alt_code FROM referred_event
  UNION ALL SELECT value_system, value_code FROM referred_event
  UNION ALL SELECT 'TEXT', value_text FROM referred_event
    WHERE value_code IS NULL AND value_number IS NULL AND value_text IN (
      SELECT source_code FROM map_source_to_concept_map
      WHERE source_vocabulary_id = 'ENTREPOT_TEXT')
) WHERE code IS NOT NULL AND code <> '' GROUP BY coalesce(system, ''), code;
