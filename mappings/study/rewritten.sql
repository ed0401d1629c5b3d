-- Each note put together again around its rewritten dates. The year of a birth date (`[1979]`) goes:
-- beside a shifted year of birth it would tell something of the shift. An age over 89 is grouped.
CREATE OR REPLACE TEMP TABLE study_text AS
SELECT n.note_id, regexp_replace(regexp_replace(
    coalesce(p.head, '') || substr(n.text, coalesce(p.done, 0) + 1),
    '[[](18|19|20)[0-9][0-9][]]', '[DATE_NAISSANCE]', 'g'),
    '(^|[^0-9,.])(9[0-9]|1[0-2][0-9])\s?ans', '\1plus de 89 ans', 'g') AS text
FROM study_note n
LEFT JOIN (
  SELECT s.note_id, max(s.last) AS done,
    string_agg(substr(t.text, s.done + 1, s.first - s.done) || coalesce(w.shown, '[DATE]'), ''
      ORDER BY s.place) AS head
  FROM study_span s
  JOIN study_note t ON t.note_id = s.note_id
  LEFT JOIN study_written w ON w.written = s.written AND w.days = s.days AND w.note_date = s.note_date
  GROUP BY s.note_id
) p ON p.note_id = n.note_id;
