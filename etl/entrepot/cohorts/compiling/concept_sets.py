"""Concept sets expanded once for all cohorts of a query."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from entrepot.cohorts.compiling.dialect_sql import column, every, number, relation
from entrepot.cohorts.definition import ConceptSetExpression
from entrepot.cohorts.dialects import Dialect

CONCEPT_SETS = "concept_sets"
_ITEMS, _LISTED, _MEMBERS = "concept_set_items", "concept_set_listed", "concept_set_members"
_FLAGS = ("codeset_id", "excluded", "descendants", "mapped")
# (concept_id, excluded, descendants, mapped)
Item = tuple[int, int, int, int]


class ConceptSets:
    """Numbers of concept sets; sets of the same content have the same number."""

    def __init__(self) -> None:
        self._numbers: dict[frozenset[Item], int] = {}

    def shared(self, expression: ConceptSetExpression) -> int:
        """The number of a set in the query, made when it is first asked for."""
        items = frozenset(
            (
                one.concept.concept_id,
                int(one.is_excluded),
                int(one.include_descendants),
                int(one.include_mapped),
            )
            for one in expression.items
        )
        return self._numbers.setdefault(items, len(self._numbers))

    def parts(self, schema: str, dialect: Dialect) -> Iterable[tuple[str, exp.Query]]:
        """The common table expressions that expand the sets, `concept_sets` last.

        Args:
            schema: of the vocabulary.
        """
        rows = [(n, *item) for items, n in self._numbers.items() for item in sorted(items)]
        if not self._numbers:
            return
        if not rows:
            yield CONCEPT_SETS, _nothing(schema)
            return
        yield _ITEMS, _items(rows, dialect)
        yield _LISTED, _listed(schema, any(row[3] for row in rows))
        if any(row[4] for row in rows):
            yield _MEMBERS, _with_mapped(schema)
        yield CONCEPT_SETS, _included(_MEMBERS if any(row[4] for row in rows) else _LISTED)


def _nothing(schema: str) -> exp.Select:
    ids = exp.select(exp.alias_(number(0), "codeset_id", copy=False), column("concept_id"))
    return ids.from_(relation("concept", schema=schema), copy=False).where(exp.false(), copy=False)


def _items(rows: Iterable[tuple[int, ...]], dialect: Dialect) -> exp.Select:
    """One row an item, from lists of ids: DuckDB takes 18 ms to plan 475 rows of five constants,
    1 ms to split one text.
    """
    lists: dict[tuple[int, ...], list[str]] = {}
    for number_, concept_id, *flags in rows:
        lists.setdefault((number_, *flags), []).append(str(int(concept_id)))
    values = exp.Values(
        expressions=[
            exp.Tuple(
                expressions=[*(number(one) for one in key), exp.Literal.string(" ".join(ids))]
            )
            for key, ids in lists.items()
        ],
        alias=exp.TableAlias(
            this=exp.to_identifier("l"),
            columns=[exp.to_identifier(name) for name in (*_FLAGS, "concept_ids")],
        ),
    )
    split = "SPLIT" if dialect is Dialect.SPARK else "REGEXP_SPLIT_TO_ARRAY"
    words = exp.Anonymous(this=split, expressions=[column("concept_ids"), exp.Literal.string(" ")])
    flags_ = [column(name) for name in _FLAGS]
    apart = exp.select(*flags_, exp.alias_(exp.Explode(this=words), "concept_id", copy=False))
    return exp.select(
        *flags_,
        exp.alias_(exp.cast(column("concept_id"), "BIGINT", copy=False), "concept_id", copy=False),
    ).from_(apart.from_(values, copy=False).subquery("i", copy=False), copy=False)


def _listed(schema: str, descendants: bool) -> exp.Query:
    """Listed concepts that exist, and valid descendants."""
    chosen = [column(f"i.{name}") for name in ("codeset_id", "excluded", "mapped")]
    same = exp.EQ(this=column("c.concept_id"), expression=column("i.concept_id"))
    concept = relation("concept", "c", schema)
    listed: exp.Query = (
        exp.select(*chosen, column("c.concept_id"))
        .from_(relation(_ITEMS, "i"), copy=False)
        .join(concept.copy(), on=same, copy=False)
    )
    if not descendants:
        return listed
    ancestor = exp.EQ(this=column("a.ancestor_concept_id"), expression=column("i.concept_id"))
    descendant = exp.EQ(this=column("c.concept_id"), expression=column("a.descendant_concept_id"))
    below = (
        exp.select(*chosen, column("c.concept_id"))
        .from_(relation(_ITEMS, "i"), copy=False)
        .join(relation("concept_ancestor", "a", schema), on=ancestor, copy=False)
        .join(concept, on=descendant, copy=False)
        .where(
            exp.EQ(this=column("i.descendants"), expression=number(1)),
            exp.Is(this=column("c.invalid_reason"), expression=exp.null()),
            copy=False,
        )
    )
    return exp.union(listed, below, distinct=False, copy=False)


def _with_mapped(schema: str) -> exp.Query:
    """Also codes that map to them ("Maps to" relationships still valid)."""
    plain = exp.select(*(column(f"l.{name}") for name in ("codeset_id", "excluded", "concept_id")))
    mapped = (
        exp.select(column("l.codeset_id"), column("l.excluded"), column("r.concept_id_1"))
        .from_(relation(_LISTED, "l"), copy=False)
        .join(
            relation("concept_relationship", "r", schema),
            on=every(
                exp.EQ(this=column("r.concept_id_2"), expression=column("l.concept_id")),
                exp.EQ(this=column("r.relationship_id"), expression=exp.Literal.string("Maps to")),
                exp.Is(this=column("r.invalid_reason"), expression=exp.null()),
            ),
            copy=False,
        )
        .where(exp.EQ(this=column("l.mapped"), expression=number(1)), copy=False)
    )
    return exp.union(
        plain.from_(relation(_LISTED, "l"), copy=False), mapped, distinct=False, copy=False
    )


def _included(members: str) -> exp.Select:
    """Included and not excluded, each once."""
    excluded = exp.Max(this=column("excluded"))
    return (
        exp.select(column("codeset_id"), column("concept_id"))
        .from_(relation(members), copy=False)
        .group_by(column("codeset_id"), column("concept_id"), copy=False)
        .having(exp.EQ(this=excluded, expression=number(0)), copy=False)
    )
