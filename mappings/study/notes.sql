-- The date spans of the notes, from the staged documents: same person, same text. A note whose text
-- is not found there has no known spans and stays out.
CREATE OR REPLACE TEMP TABLE study_note AS
SELECT n.note_id, n.note_date, m.days, n.note_text AS text,
  CAST(s.date_spans AS INTEGER[][]) AS spans
FROM core.cdm.note n
JOIN study_person m ON m.person_id = n.person_id
JOIN (
  SELECT person_id, text, max(date_spans) AS date_spans FROM staging_document
  WHERE text IS NOT NULL AND date_spans IS NOT NULL GROUP BY person_id, text
) s ON s.person_id = n.person_id AND s.text = n.note_text;

CREATE OR REPLACE TEMP TABLE study_span AS
SELECT note_id, days, note_date, place, first, last, substr(text, first + 1, last - first) AS written,
  lag(last, 1, 0) OVER (PARTITION BY note_id ORDER BY first) AS done
FROM (
  SELECT note_id, days, note_date, text, span[1] AS first, span[2] AS last,
    row_number() OVER (PARTITION BY note_id ORDER BY span[1]) AS place
  FROM (SELECT note_id, days, note_date, text, unnest(spans) AS span FROM study_note)
);
