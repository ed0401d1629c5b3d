-- location (derived): the département of residence, nothing finer.
INSERT INTO cdm.location BY NAME
SELECT location_id, max(departement) AS county, max(departement) AS location_source_value
FROM current_patient
WHERE location_id IN (SELECT location_id FROM cdm.person)
GROUP BY location_id;
