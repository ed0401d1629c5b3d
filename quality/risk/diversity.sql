-- l-diversity: what membership of a class of two or more tells of diagnoses. `sureness` is the
-- largest share, in percent, of the class that bears one same diagnosis (its l is 100 / sureness:
-- Wong et al. 2006, (alpha, k)-anonymity); `kinds` the number of different diagnoses in the class
-- (Machanavajjhala et al. 2007, distinct l-diversity). Classes of one person are uniques already.
WITH class AS (
  SELECT dense_rank() OVER (ORDER BY {{attributes}}) AS number, person_id FROM risk_person
), sized AS (
  SELECT number, count(*) AS size FROM class GROUP BY number HAVING count(*) > 1
), borne AS (
  SELECT class.number, d.concept, count(*) AS bearers
  FROM risk_diagnosis AS d JOIN class ON class.person_id = d.person_id
  WHERE class.number IN (SELECT number FROM sized)
  GROUP BY class.number, d.concept
), told AS (
  SELECT number, max(bearers) AS most, count(*) AS kinds FROM borne GROUP BY number
)
SELECT coalesce(floor(100.0 * most / size), 0)::INTEGER AS sureness, coalesce(kinds, 0) AS kinds,
  sum(size) AS persons
FROM sized LEFT JOIN told ON told.number = sized.number
GROUP BY ALL ORDER BY ALL
