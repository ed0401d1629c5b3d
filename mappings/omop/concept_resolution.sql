-- concept_resolution: what every code of the batch means, decided once per distinct (system, code).
--
-- Reads   code_use(system, code, frequency)                 distinct codes of the batch
--         code_systems(system, vocabulary_id, precedence)   names and OIDs as sent
--         fan_out(domain_id, keep)                          'all' or 'lowest'
--         source_to_concept_map                             the site's rows that are valid at the run's date
--         concept, concept_relationship                     the loaded vocabulary
-- Gives   one row per (system, code, ordinal); a code without a target has one row, ordinal 0, target 0.
--         Ordinals follow the target's id, so that they hold as long as the mapping does.
--
-- Order of decision: the site's own map, then 'Maps to' of the code's concept in the first vocabulary
-- that has one, then, for ICD-10 codes, 'Maps to' of the nearest parent (uphill).
WITH used AS (
  SELECT DISTINCT COALESCE(system, '') AS system, COALESCE(code, '') AS code
  FROM code_use
),
-- A system that the table does not know is read as the name of a vocabulary: a site may map it.
wanted AS (
  SELECT
    used.system,
    used.code,
    COALESCE(known.vocabulary_id, used.system) AS vocabulary_id,
    COALESCE(known.precedence, 1) AS precedence,
    CASE WHEN known.vocabulary_id IS NULL THEN 0 ELSE 1 END AS known_system
  FROM used
  LEFT JOIN code_systems AS known ON upper_case(trimmed(known.system)) = upper_case(trimmed(used.system))
),
-- One place says how a code is spelled: PMSI writes E119 for E11.9, an act carries activity and phase
-- after its seven characters.
coded AS (
  SELECT 'used' AS role, vocabulary_id, code, 0 AS concept_id FROM wanted
  UNION ALL
  SELECT 'site' AS role, source_vocabulary_id AS vocabulary_id, source_code AS code, 0 AS concept_id
  FROM source_to_concept_map
  UNION ALL
  SELECT 'concept' AS role, concept.vocabulary_id, concept.concept_code AS code, concept.concept_id
  FROM concept
  JOIN (SELECT DISTINCT vocabulary_id FROM wanted) AS searched
    ON searched.vocabulary_id = concept.vocabulary_id
),
spelled AS (
  SELECT
    role,
    vocabulary_id,
    code,
    concept_id,
    CASE
      WHEN vocabulary_id IN ('CIM10', 'ICD10', 'ICD10CM')
        THEN upper_case(REPLACE(REPLACE(trimmed(code), '.', ''), ' ', ''))
      WHEN vocabulary_id = 'CCAM' THEN SUBSTR(upper_case(REPLACE(trimmed(code), ' ', '')), 1, 7)
      WHEN vocabulary_id IN ('ATC', 'UCD', 'CIP') THEN upper_case(REPLACE(trimmed(code), ' ', ''))
      ELSE trimmed(code)
    END AS spelling
  FROM coded
),
asked AS (
  SELECT DISTINCT
    wanted.system,
    wanted.code,
    wanted.vocabulary_id,
    wanted.precedence,
    wanted.known_system,
    spelled.spelling
  FROM wanted
  JOIN spelled
    ON spelled.role = 'used'
    AND spelled.vocabulary_id = wanted.vocabulary_id
    AND spelled.code = wanted.code
),
-- Deprecated concepts stay candidates: they still carry 'Maps to'.
candidate AS (
  SELECT
    asked.system,
    asked.code,
    asked.vocabulary_id,
    asked.precedence,
    concept.concept_id,
    concept.domain_id,
    CASE WHEN concept.concept_code = asked.code THEN 0 ELSE 1 END AS respelled,
    ROW_NUMBER() OVER (
      PARTITION BY asked.system, asked.code, asked.precedence, asked.vocabulary_id
      ORDER BY
        CASE WHEN concept.concept_code = asked.code THEN 0 ELSE 1 END,
        CASE WHEN concept.invalid_reason IS NULL THEN 0 ELSE 1 END,
        concept.concept_id
    ) AS choice
  FROM asked
  JOIN spelled
    ON spelled.role = 'concept'
    AND spelled.vocabulary_id = asked.vocabulary_id
    AND spelled.spelling = asked.spelling
  JOIN concept ON concept.concept_id = spelled.concept_id
  WHERE asked.spelling <> ''
),
source_concept AS (
  SELECT system, code, vocabulary_id, precedence, concept_id, domain_id, respelled
  FROM (
    SELECT
      system,
      code,
      vocabulary_id,
      precedence,
      concept_id,
      domain_id,
      respelled,
      ROW_NUMBER() OVER (PARTITION BY system, code ORDER BY precedence, vocabulary_id) AS choice
    FROM candidate
    WHERE choice = 1
  ) AS ranked
  WHERE choice = 1
),
-- Standard targets of every concept that could answer: the candidates and, for ICD-10, the parents.
parent AS (
  SELECT
    asked.system,
    asked.code,
    asked.precedence,
    asked.vocabulary_id,
    step.kept,
    spelled.concept_id
  FROM asked
  JOIN (
    SELECT 3 AS kept
    UNION ALL SELECT 4
    UNION ALL SELECT 5
    UNION ALL SELECT 6
    UNION ALL SELECT 7
  ) AS step ON step.kept < LENGTH(asked.spelling)
  JOIN spelled
    ON spelled.role = 'concept'
    AND spelled.vocabulary_id = asked.vocabulary_id
    AND spelled.spelling = SUBSTR(asked.spelling, 1, step.kept)
  WHERE asked.vocabulary_id IN ('CIM10', 'ICD10')
),
answering AS (
  SELECT concept_id FROM candidate WHERE choice = 1
  UNION
  SELECT concept_id FROM parent
),
link AS (
  SELECT DISTINCT
    relation.concept_id_1 AS concept_id,
    relation.relationship_id,
    target.concept_id AS target_concept_id,
    target.domain_id AS target_domain_id
  FROM answering
  JOIN concept_relationship AS relation ON relation.concept_id_1 = answering.concept_id
  JOIN concept AS target ON target.concept_id = relation.concept_id_2
  WHERE relation.relationship_id IN ('Maps to', 'Maps to value')
    AND relation.invalid_reason IS NULL
    AND target.standard_concept = 'S'
),
mappable AS (
  SELECT DISTINCT concept_id FROM link WHERE relationship_id = 'Maps to'
),
site_row AS (
  SELECT DISTINCT
    asked.system,
    asked.code,
    site.target_concept_id,
    target.concept_id AS standard_concept_id,
    target.domain_id AS target_domain_id,
    CASE WHEN site.source_code = asked.code THEN 0 ELSE 1 END AS respelled
  FROM asked
  JOIN spelled
    ON spelled.role = 'site'
    AND spelled.vocabulary_id = asked.vocabulary_id
    AND spelled.spelling = asked.spelling
  JOIN source_to_concept_map AS site
    ON site.source_vocabulary_id = spelled.vocabulary_id AND site.source_code = spelled.code
  LEFT JOIN concept AS target
    ON target.concept_id = site.target_concept_id
    AND target.standard_concept = 'S'
    AND target.concept_id <> 0
  WHERE asked.spelling <> ''
),
site AS (
  SELECT
    system,
    code,
    MIN(respelled) AS respelled,
    MAX(CASE WHEN standard_concept_id IS NOT NULL THEN 1 ELSE 0 END) AS mapped,
    MAX(CASE WHEN target_concept_id = 0 THEN 1 ELSE 0 END) AS said_none
  FROM site_row
  GROUP BY system, code
),
vocabulary_answer AS (
  SELECT system, code, vocabulary_id, concept_id
  FROM (
    SELECT
      candidate.system,
      candidate.code,
      candidate.vocabulary_id,
      candidate.concept_id,
      ROW_NUMBER() OVER (
        PARTITION BY candidate.system, candidate.code
        ORDER BY candidate.precedence, candidate.vocabulary_id
      ) AS choice
    FROM candidate
    JOIN mappable ON mappable.concept_id = candidate.concept_id
    WHERE candidate.choice = 1
  ) AS ranked
  WHERE choice = 1
),
uphill_answer AS (
  SELECT system, code, vocabulary_id, concept_id
  FROM (
    SELECT
      parent.system,
      parent.code,
      parent.vocabulary_id,
      parent.concept_id,
      ROW_NUMBER() OVER (
        PARTITION BY parent.system, parent.code
        ORDER BY parent.kept DESC, parent.precedence, parent.vocabulary_id, parent.concept_id
      ) AS choice
    FROM parent
    JOIN mappable ON mappable.concept_id = parent.concept_id
  ) AS ranked
  WHERE choice = 1
),
decided AS (
  SELECT
    used.system,
    used.code,
    CASE
      WHEN site.mapped = 1 OR site.said_none = 1 THEN 'stcm'
      WHEN vocabulary_answer.concept_id IS NOT NULL THEN 'vocabulary'
      WHEN uphill_answer.concept_id IS NOT NULL THEN 'uphill'
      ELSE 'none'
    END AS origin,
    CASE
      WHEN site.mapped = 1 OR site.said_none = 1 THEN NULL
      ELSE COALESCE(vocabulary_answer.concept_id, uphill_answer.concept_id)
    END AS answering_concept_id,
    vocabulary_answer.vocabulary_id AS answering_vocabulary_id,
    site.mapped AS site_mapped,
    site.respelled AS site_respelled
  FROM used
  LEFT JOIN site ON site.system = used.system AND site.code = used.code
  LEFT JOIN vocabulary_answer
    ON vocabulary_answer.system = used.system AND vocabulary_answer.code = used.code
  LEFT JOIN uphill_answer
    ON uphill_answer.system = used.system AND uphill_answer.code = used.code
),
target AS (
  SELECT
    site_row.system,
    site_row.code,
    site_row.standard_concept_id AS target_concept_id,
    site_row.target_domain_id,
    NULL AS value_concept_id
  FROM site_row
  WHERE site_row.standard_concept_id IS NOT NULL
  UNION
  SELECT
    decided.system,
    decided.code,
    link.target_concept_id,
    link.target_domain_id,
    answer.target_concept_id AS value_concept_id
  FROM decided
  JOIN link
    ON link.concept_id = decided.answering_concept_id AND link.relationship_id = 'Maps to'
  -- 'Maps to value' is the value of the Measurement or Observation that 'Maps to' gives.
  LEFT JOIN link AS answer
    ON answer.concept_id = decided.answering_concept_id
    AND answer.relationship_id = 'Maps to value'
    AND link.target_domain_id IN ('Measurement', 'Observation')
),
kept AS (
  SELECT
    ranked.system,
    ranked.code,
    ranked.target_concept_id,
    ranked.target_domain_id,
    ranked.value_concept_id,
    CASE WHEN fan_out.keep = 'lowest' AND ranked.several > 1 THEN 1 ELSE 0 END AS left_out,
    ROW_NUMBER() OVER (
      PARTITION BY ranked.system, ranked.code
      ORDER BY ranked.target_concept_id, COALESCE(ranked.value_concept_id, 0)
    ) - 1 AS ordinal
  FROM (
    SELECT
      system,
      code,
      target_concept_id,
      target_domain_id,
      value_concept_id,
      ROW_NUMBER() OVER (
        PARTITION BY system, code, target_domain_id
        ORDER BY target_concept_id, COALESCE(value_concept_id, 0)
      ) AS place,
      COUNT(*) OVER (PARTITION BY system, code, target_domain_id) AS several
    FROM target
  ) AS ranked
  LEFT JOIN fan_out ON fan_out.domain_id = ranked.target_domain_id
  WHERE ranked.place = 1 OR COALESCE(fan_out.keep, 'all') <> 'lowest'
),
first_vocabulary AS (
  SELECT system, code, vocabulary_id, known_system
  FROM (
    SELECT
      system,
      code,
      vocabulary_id,
      known_system,
      ROW_NUMBER() OVER (PARTITION BY system, code ORDER BY precedence, vocabulary_id) AS choice
    FROM asked
  ) AS ranked
  WHERE choice = 1
)
SELECT
  decided.system,
  decided.code,
  CASE
    WHEN source_concept.vocabulary_id IS NOT NULL THEN source_concept.vocabulary_id
    WHEN first_vocabulary.known_system = 1 OR decided.origin <> 'none'
      THEN first_vocabulary.vocabulary_id
  END AS vocabulary_id,
  COALESCE(source_concept.concept_id, 0) AS source_concept_id,
  COALESCE(kept.ordinal, 0) AS ordinal,
  COALESCE(kept.target_concept_id, 0) AS target_concept_id,
  kept.target_domain_id,
  kept.value_concept_id,
  decided.origin,
  CASE
    WHEN decided.origin = 'stcm' THEN decided.site_respelled = 1
    ELSE COALESCE(source_concept.respelled, 0) = 1
  END AS normalised,
  source_concept.domain_id AS domain_id_of_source,
  CASE
    WHEN kept.left_out = 1 THEN 'one_of_several'
    WHEN decided.origin = 'stcm' AND decided.site_mapped = 0 THEN 'site_says_none'
    WHEN decided.origin = 'stcm' THEN 'site_map'
    WHEN decided.origin = 'uphill' THEN 'nearest_parent'
    WHEN decided.site_mapped = 0 THEN 'site_target_not_standard'
    WHEN decided.origin = 'vocabulary'
      AND decided.answering_vocabulary_id <> source_concept.vocabulary_id
      THEN 'other_vocabulary'
    WHEN decided.origin = 'vocabulary' THEN 'maps_to'
    WHEN source_concept.concept_id IS NOT NULL THEN 'no_standard_target'
    WHEN first_vocabulary.known_system = 1 THEN 'unknown_code'
    ELSE 'unknown_system'
  END AS reason
FROM decided
JOIN first_vocabulary
  ON first_vocabulary.system = decided.system AND first_vocabulary.code = decided.code
LEFT JOIN source_concept
  ON source_concept.system = decided.system AND source_concept.code = decided.code
LEFT JOIN kept ON kept.system = decided.system AND kept.code = decided.code
