-- The same fact told by several feeds is one row (DESIGN 6). Equal statements of one feed stay apart:
-- its k-th statement of a fact, in the order of the row keys, is the k-th of every other feed. Of
-- these the source of the highest rank speaks, then the first format, then the first source, so
-- that the answer depends on what was sent and never on when it came.
-- Only rows that may be published compete: a preliminary result never hides a final one, and a
-- movement that only closes or announces never hides one that opens a stay in a unit.
CREATE TABLE fact_statement AS
WITH stated AS (
  SELECT 'event' AS kind, person_key, fact_key, source, format, row_key FROM current_event
  WHERE action = 'upsert' AND status_code = 'final' AND fact_key IS NOT NULL
    AND (category <> 'diagnosis' OR coalesce(verification_code, 'confirmed') <> 'unconfirmed')
  UNION ALL
  SELECT 'movement' AS kind, person_key, fact_key, source, format, row_key FROM current_movement
  WHERE action = 'upsert' AND fact_key IS NOT NULL
    AND movement_code NOT IN ('A03', 'A05', 'A14', 'A21', 'A22', 'A38')
  UNION ALL
  SELECT 'document' AS kind, person_key, fact_key, source, format, row_key FROM current_document
  WHERE action = 'upsert' AND fact_key IS NOT NULL AND text IS NOT NULL
    AND coalesce(status_code, 'final') NOT IN
      ('deleted', 'preliminary', 'pending', 'cancelled', 'not_asked', 'D', 'W', 'P', 'X', 'N')
),
told_again AS (
  SELECT kind, person_key, fact_key FROM stated
  GROUP BY kind, person_key, fact_key HAVING count(*) > 1
),
numbered AS (
  SELECT s.kind, s.person_key, s.fact_key, s.source, s.format, s.row_key,
    row_number() OVER (
      PARTITION BY s.kind, s.person_key, s.fact_key, s.source, s.format ORDER BY s.row_key
    ) AS statement
  FROM stated s
  JOIN told_again t
    ON t.kind = s.kind AND t.person_key = s.person_key AND t.fact_key = s.fact_key
)
SELECT n.kind, n.row_key, n.statement,
  first_value(n.row_key) OVER (
    PARTITION BY n.kind, n.person_key, n.fact_key, n.statement
    ORDER BY coalesce(r.rank, 5) DESC, n.format, n.source, n.row_key) AS kept_key
FROM numbered n
LEFT JOIN source_rank r ON r.source = n.source;

-- The movements that stand, each with the id of its statement.
CREATE TABLE told_movement AS
SELECT m.* REPLACE (statement_id(m.row_id, 0, f.statement) AS row_id)
FROM current_movement m
LEFT JOIN fact_statement f ON f.kind = 'movement' AND f.row_key = m.row_key
WHERE f.kept_key IS NULL OR f.kept_key = m.row_key;
