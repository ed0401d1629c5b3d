-- Everybody whom the node's views show.
SELECT p.person_id FROM cdm.person p
