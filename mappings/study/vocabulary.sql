-- The concepts that the space uses and what stands above them; codes are public, patients are not.
CREATE OR REPLACE TEMP TABLE study_concept AS
SELECT concept_id FROM study_used
UNION
SELECT a.ancestor_concept_id FROM core.cdm.concept_ancestor a
JOIN study_used u ON u.concept_id = a.descendant_concept_id
UNION
SELECT r.concept_id_2 FROM core.cdm.concept_relationship r
JOIN study_used u ON u.concept_id = r.concept_id_1
WHERE r.relationship_id IN ('Maps to', 'Maps to value');

INSERT INTO draft.cdm.concept BY NAME
SELECT * FROM core.cdm.concept WHERE concept_id IN (SELECT concept_id FROM study_concept);
INSERT INTO draft.cdm.concept_ancestor BY NAME
SELECT * FROM core.cdm.concept_ancestor
WHERE ancestor_concept_id IN (SELECT concept_id FROM study_concept)
  AND descendant_concept_id IN (SELECT concept_id FROM study_concept);
INSERT INTO draft.cdm.concept_relationship BY NAME
SELECT * FROM core.cdm.concept_relationship
WHERE concept_id_1 IN (SELECT concept_id FROM study_concept)
  AND concept_id_2 IN (SELECT concept_id FROM study_concept);
INSERT INTO draft.cdm.vocabulary BY NAME SELECT * FROM core.cdm.vocabulary;
INSERT INTO draft.cdm.domain BY NAME SELECT * FROM core.cdm.domain;
INSERT INTO draft.cdm.concept_class BY NAME SELECT * FROM core.cdm.concept_class;
INSERT INTO draft.cdm.relationship BY NAME SELECT * FROM core.cdm.relationship;
