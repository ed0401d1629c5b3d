-- fact_relationship: a link of two facts that are both in the space. A person's number is keyed as a
-- person, every other fact's as an event.
INSERT INTO draft.cdm.fact_relationship BY NAME
WITH fact AS (
  SELECT c.concept_id AS domain_concept_id, p.person_id AS fact_id
  FROM draft.cdm.person p CROSS JOIN study_domain c WHERE c.name = 'person'
  UNION ALL
  SELECT c.concept_id, m.measurement_id
  FROM draft.cdm.measurement m CROSS JOIN study_domain c WHERE c.name = 'measurement'
  UNION ALL
  SELECT c.concept_id, s.specimen_id
  FROM draft.cdm.specimen s CROSS JOIN study_domain c WHERE c.name = 'specimen'
)
SELECT f.domain_concept_id_1, f.fact_id_1, f.domain_concept_id_2, f.fact_id_2,
  f.relationship_concept_id
FROM (
  SELECT r.domain_concept_id_1, r.domain_concept_id_2, r.relationship_concept_id,
    CASE WHEN d1.concept_id IS NOT NULL THEN study_id('person', r.fact_id_1)
         ELSE study_event_id('event', r.fact_id_1) END AS fact_id_1,
    CASE WHEN d2.concept_id IS NOT NULL THEN study_id('person', r.fact_id_2)
         ELSE study_event_id('event', r.fact_id_2) END AS fact_id_2
  FROM core.cdm.fact_relationship r
  LEFT JOIN study_domain d1 ON d1.name = 'person' AND d1.concept_id = r.domain_concept_id_1
  LEFT JOIN study_domain d2 ON d2.name = 'person' AND d2.concept_id = r.domain_concept_id_2
) f
JOIN fact one ON one.domain_concept_id = f.domain_concept_id_1 AND one.fact_id = f.fact_id_1
JOIN fact two ON two.domain_concept_id = f.domain_concept_id_2 AND two.fact_id = f.fact_id_2;
