-- The source of every staged row.
CREATE OR REPLACE TEMP VIEW gate_staged_row AS
SELECT source FROM staging_patient
UNION ALL SELECT source FROM staging_stay
UNION ALL SELECT source FROM staging_movement
UNION ALL SELECT source FROM staging_event
UNION ALL SELECT source FROM staging_document
UNION ALL SELECT source FROM staging_structure;
