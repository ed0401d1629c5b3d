-- The only place of casts, ids and aggregates that the engines spell differently.

-- Per column the last stated value of a patch: an absent field changes nothing, a deleted one is null.
CREATE OR REPLACE TEMP MACRO last_stated(value, name, cleared, version) AS
  (arg_max({'v': value}, version)
     FILTER (WHERE value IS NOT NULL OR contains(cleared, ',' || name || ','))).v;

-- The id of a fact's further rows: exact integer arithmetic on 63 bits; ordinal 0 is the fact itself.
CREATE OR REPLACE TEMP MACRO fan_out_id(id, ordinal) AS
  CAST((CAST(id AS DECIMAL(38, 0)) + ordinal * CAST(7046029254386353131 AS DECIMAL(38, 0)))
       % CAST(9223372036854775808 AS DECIMAL(38, 0)) AS BIGINT);

CREATE OR REPLACE TEMP MACRO day_of(moment) AS CAST(moment AS DATE);

-- CDM columns of 50 characters: longer codes are kept whole, nothing is cut in silence.
CREATE OR REPLACE TEMP MACRO source_text(value) AS NULLIF(value, '');
