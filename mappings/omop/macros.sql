-- The only place of casts, ids and aggregates that the engines spell differently.

-- Per column the last stated value of a patch: an absent field changes nothing, a deleted one is null.
CREATE OR REPLACE MACRO last_stated(value, name, cleared, version) AS
  (arg_max({'v': value}, version)
     FILTER (WHERE value IS NOT NULL OR contains(cleared, ',' || name || ','))).v;

-- The id of a fact's further rows: exact integer arithmetic on 63 bits; ordinal 0 is the fact itself.
CREATE OR REPLACE MACRO fan_out_id(id, ordinal) AS
  CAST((CAST(id AS DECIMAL(38, 0)) + ordinal * CAST(7046029254386353131 AS DECIMAL(38, 0)))
       % CAST(9223372036854775808 AS DECIMAL(38, 0)) AS BIGINT);

CREATE OR REPLACE MACRO day_of(moment) AS CAST(moment AS DATE);

-- CDM columns of 50 characters: longer codes are kept whole, nothing is cut in silence.
CREATE OR REPLACE MACRO source_text(value) AS NULLIF(value, '');

-- The id of the k-th equal statement of a fact: the first is the fact itself, and a statement has
-- room for a thousand concepts.
CREATE OR REPLACE MACRO statement_id(id, ordinal, statement) AS
  fan_out_id(id, ordinal + 1000 * (coalesce(statement, 1) - 1));

-- A number of pieces; a value that is no count of at least one is none.
CREATE OR REPLACE MACRO whole_count(quantity) AS
  CASE WHEN quantity BETWEEN 1 AND 999999999 THEN CAST(quantity AS INTEGER) END;
