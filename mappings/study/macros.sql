-- The only places where a date of a space is made. `precision` is how much of the day was told; what
-- was told in part is shifted from its first day, then cut again: 1 January would else betray it.

CREATE OR REPLACE TEMP MACRO study_cut(day, precision) AS
  CASE precision WHEN 'year' THEN CAST(date_trunc('year', day) AS DATE)
                 WHEN 'month' THEN CAST(date_trunc('month', day) AS DATE) ELSE day END;

-- `born`: the first day on which the person may have been born, in the space's time.
CREATE OR REPLACE TEMP MACRO study_day(day, days, precision, born) AS
  CASE WHEN day IS NULL THEN NULL
       WHEN precision IN ('year', 'month')
       THEN greatest(study_cut(CAST(day AS DATE) - days, precision), born)
       ELSE CAST(day AS DATE) - days END;

-- Whole weeks of civil time: weekday and hour stay, also across a change of the clock.
CREATE OR REPLACE TEMP MACRO study_moment(moment, days, precision, born, whole) AS
  CASE WHEN moment IS NULL THEN NULL
       WHEN whole AND coalesce(precision, 'day') NOT IN ('year', 'month')
       THEN moment - to_days(days)
       ELSE CAST(study_day(moment, days, precision, born) AS TIMESTAMP) END;

-- Strictly before the end: a stay that is still open ends at as_of, and would end exactly there for
-- persons whose shift is the longest.
CREATE OR REPLACE TEMP MACRO study_inside(day, first_day, end_day) AS
  day IS NULL OR (CAST(day AS DATE) >= first_day AND CAST(day AS DATE) < end_day);
