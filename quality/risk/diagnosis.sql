-- Each person's diagnoses, each once.
CREATE OR REPLACE TEMP TABLE risk_diagnosis AS
SELECT DISTINCT person_id, condition_concept_id AS concept
FROM cdm.condition_occurrence WHERE condition_concept_id <> 0
