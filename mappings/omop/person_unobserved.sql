-- A person without any clinical event is not published (every person needs an observation period).
CREATE TABLE person_unobserved AS
SELECT person_id FROM cdm.person
WHERE person_id NOT IN (SELECT person_id FROM activity);
DELETE FROM cdm.death WHERE person_id IN (SELECT person_id FROM person_unobserved);
DELETE FROM cdm.person WHERE person_id IN (SELECT person_id FROM person_unobserved);
DELETE FROM etl.lineage
WHERE cdm_table IN ('person', 'death') AND cdm_id IN (SELECT person_id FROM person_unobserved);
