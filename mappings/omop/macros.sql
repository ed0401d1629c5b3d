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

-- Days are counted by these alone: of two dates `-` is a number on one engine and a span on another.
CREATE OR REPLACE MACRO days_between(first, last) AS date_diff('day', first, last);

CREATE OR REPLACE MACRO days_after(day, days) AS day + CAST(days AS INTEGER);

-- The last of so many days, the first one counted.
CREATE OR REPLACE MACRO last_of_days(first, days) AS days_after(first, days - 1);

CREATE OR REPLACE MACRO hours_after(moment, hours) AS moment + hours * INTERVAL 1 HOUR;

CREATE OR REPLACE MACRO start_of_month(year, month) AS make_timestamp(year, month, 1, 0, 0, 0);

-- CDM columns of 50 characters: longer codes are kept whole, nothing is cut in silence.
CREATE OR REPLACE MACRO source_text(value) AS NULLIF(value, '');

-- Codes are compared without the blanks around them, the two that French typography does not break
-- (U+00A0, U+202F) among them; what one engine holds for a blank, another does not.
CREATE OR REPLACE MACRO trimmed(text) AS trim(text, '   ');

-- Letters of ASCII alone: of ß and İ each engine has an upper case of its own.
CREATE OR REPLACE MACRO upper_case(text) AS
  translate(text, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');

-- The id of the k-th equal statement of a fact: the first is the fact itself, and a statement has
-- room for a thousand concepts.
CREATE OR REPLACE MACRO statement_id(id, ordinal, statement) AS
  fan_out_id(id, ordinal + 1000 * (coalesce(statement, 1) - 1));

-- A whole number, halves away from zero (a cast rounds on one engine and cuts on another); one that
-- no integer column holds is none.
CREATE OR REPLACE MACRO rounded(number) AS
  CASE WHEN number BETWEEN -2147483647 AND 2147483647 THEN CAST(round(number, 0) AS INTEGER) END;

-- A number of pieces; a value that is no count of at least one is none.
CREATE OR REPLACE MACRO whole_count(quantity) AS
  CASE WHEN quantity BETWEEN 1 AND 999999999 THEN rounded(quantity) END;
