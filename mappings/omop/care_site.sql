-- care_site (derived): every unit that a published row names; label and code as its movements say.
INSERT INTO cdm.care_site BY NAME
SELECT u.care_site_id, s.label AS care_site_name, 0 AS place_of_service_concept_id,
  source_text(s.code) AS care_site_source_value, source_text(s.type_code)
    AS place_of_service_source_value
FROM (
  SELECT care_site_id FROM cdm.visit_occurrence WHERE care_site_id IS NOT NULL
  UNION SELECT care_site_id FROM cdm.visit_detail WHERE care_site_id IS NOT NULL
) u
LEFT JOIN current_structure s ON s.row_id = u.care_site_id AND s.structure_type = 'unit';
