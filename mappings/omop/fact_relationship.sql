-- fact_relationship (derived): mother and child, both published persons; a specimen and its results.
-- Each link stands twice, once in either direction, as the CDM asks.
CREATE OR REPLACE TABLE fact_link AS
SELECT person.concept_id AS domain_1, m.person_id AS fact_1,
  person.concept_id AS domain_2, c.person_id AS fact_2,
  forth.concept_id AS relationship_1, back.concept_id AS relationship_2
FROM current_patient c
JOIN cdm.person child ON child.person_id = c.person_id
JOIN cdm.person m ON m.person_id = c.mother_id AND m.person_id <> c.person_id
JOIN map_constants person ON person.name = 'domain_person'
JOIN map_constants forth ON forth.name = 'relationship_mother_of'
JOIN map_constants back ON back.name = 'relationship_child_of'
UNION ALL
-- A result belongs to the specimen of its order, where the order has one specimen alone.
SELECT specimen.concept_id, s.event_id, measurement.concept_id, r.event_id,
  forth.concept_id, back.concept_id
FROM (
  SELECT order_key, person_id, min(event_id) AS event_id FROM event_resolved
  WHERE cdm_table = 'specimen' AND order_key IS NOT NULL
  GROUP BY order_key, person_id HAVING count(*) = 1
) s
JOIN event_resolved r ON r.order_key = s.order_key AND r.person_id = s.person_id
  AND r.cdm_table = 'measurement'
JOIN cdm.specimen kept ON kept.specimen_id = s.event_id
JOIN cdm.measurement result ON result.measurement_id = r.event_id
JOIN map_constants specimen ON specimen.name = 'domain_specimen'
JOIN map_constants measurement ON measurement.name = 'domain_measurement'
JOIN map_constants forth ON forth.name = 'relationship_specimen_of'
JOIN map_constants back ON back.name = 'relationship_result_of';

INSERT INTO cdm.fact_relationship BY NAME
SELECT domain_1 AS domain_concept_id_1, fact_1 AS fact_id_1, domain_2 AS domain_concept_id_2,
  fact_2 AS fact_id_2, relationship_1 AS relationship_concept_id
FROM fact_link
UNION ALL
SELECT domain_2, fact_2, domain_1, fact_1, relationship_2 FROM fact_link;
