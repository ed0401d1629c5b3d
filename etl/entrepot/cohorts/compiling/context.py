"""The query that is being built: named parts, concept sets shared, criteria written once."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from entrepot.cohorts.compiling.concept_sets import CONCEPT_SETS, ConceptSets
from entrepot.cohorts.compiling.dialect_sql import Dates, column, every, number, relation
from entrepot.cohorts.definition import CohortExpression, ConceptSetExpression
from entrepot.cohorts.dialects import Dialect


class Query:
    """Common table expressions in the order in which they need one another."""

    def __init__(self, dialect: Dialect, schema: str) -> None:
        self.dialect, self.schema = dialect, schema
        self.dates = Dates(dialect)
        self.concept_sets = ConceptSets()
        self.parts: dict[str, exp.Query] = {}
        self._shared: dict[exp.Query, str] = {}
        self._aliases = 0

    def add(self, name: str, select: exp.Query) -> str:
        """Names a part; a name already taken gets a number."""
        taken, n = name, 1
        while taken in self.parts:
            n += 1
            taken = f"{name}_{n}"
        self.parts[taken] = select
        return taken

    def share(self, select: exp.Query) -> str:
        """Names a part; the same SELECT, asked for again, is the same part."""
        if select not in self._shared:
            self._shared[select] = self.add("criterion", select)
        return self._shared[select]

    def many(self, select: exp.Query) -> exp.Query:
        """The same rows, of which PostgreSQL believes that they are a thousand times as many.

        Behind several range conditions it expects one row and joins by nested loops that run
        whole criteria again for each event: one shared cohort of 150 persons took over 16 minutes,
        so it takes 0.1 s. A set-returning function counts as 1,000 rows; this one gives one.
        """
        if self.dialect is not Dialect.POSTGRES:
            return select
        words = [exp.Literal.string(text) for text in ("-", " ")]
        one = exp.Anonymous(this="REGEXP_SPLIT_TO_TABLE", expressions=words)
        rows = exp.select(column("m.*")).from_(select.subquery("m", copy=False), copy=False)
        return rows.join(one, join_type="CROSS", copy=False)

    def alias(self, letter: str) -> str:
        """An alias that no other join of the query has."""
        self._aliases += 1
        return f"{letter}{self._aliases}"

    def select(self, final: exp.Query, vocabulary_schema: str) -> str:
        """The whole query as text; criteria used once stand where they are used."""
        parts = dict(self.concept_sets.parts(vocabulary_schema, self.dialect))
        if CONCEPT_SETS in parts:
            parts[CONCEPT_SETS] = self.many(parts[CONCEPT_SETS])
        parts.update(self.parts)
        self._inline(parts, final)
        if self.dialect is Dialect.POSTGRES:
            for one in (*parts.values(), final):
                _semi_joins_as_exists(one)
        ctes = [
            exp.CTE(this=one, alias=exp.TableAlias(this=exp.to_identifier(name)))
            for name, one in parts.items()
        ]
        final.set("with_", exp.With(expressions=ctes))
        return str(final.sql(dialect=self.dialect.value, copy=False))

    def _inline(self, parts: dict[str, exp.Query], final: exp.Query) -> None:
        used: dict[str, list[exp.Table]] = {name: [] for name in self._shared.values()}
        for one in (*parts.values(), final):
            for table in one.find_all(exp.Table):
                if table.name in used and not table.db:
                    used[table.name].append(table)
        for name, places in used.items():
            if len(places) == 1:
                places[0].replace(parts.pop(name).subquery(places[0].alias or None, copy=False))

    def cdm(self, table: str, alias: str = "") -> exp.Table:
        """A table of the CDM."""
        return relation(table, alias, self.schema)


def _semi_joins_as_exists(query: exp.Query) -> None:
    """PostgreSQL has no SEMI and ANTI joins: EXISTS and NOT EXISTS, side by side.

    sqlglot would write them too, each in parentheses around those before it: of more than 120 in
    one SELECT Python's stack is at its end.
    """
    for select in list(query.find_all(exp.Select)):
        joins: list[exp.Join] = select.args.get("joins") or []
        asked = [one for one in joins if one.kind in ("SEMI", "ANTI")]
        if not asked:
            continue
        select.set("joins", [one for one in joins if one.kind not in ("SEMI", "ANTI")])
        held = select.args.get("where")
        conditions = [held.this] if held else []
        for join in asked:
            inner = exp.select(number(1)).from_(join.this, copy=False)
            exists = exp.Exists(this=inner.where(join.args["on"], copy=False))
            conditions.append(exp.Not(this=exists) if join.kind == "ANTI" else exists)
        select.set("where", exp.Where(this=every(*conditions)))


class Cohort:
    """One definition within a query.

    Args:
        prefix: before the names of its parts, when a query holds several cohorts.
    """

    def __init__(self, query: Query, expression: CohortExpression, prefix: str = "") -> None:
        self.query, self.expression, self.prefix = query, expression, prefix
        self._sets: Mapping[int, ConceptSetExpression] = {
            one.id: one.expression for one in expression.concept_sets
        }

    def add(self, name: str, select: exp.Query) -> str:
        """Names a part of this cohort."""
        return self.query.add(f"{self.prefix}{name}", select)

    def codeset(self, number_: int | None) -> exp.Subquery:
        """The ids of a concept set; of one that the definition lacks, none, as in Circe."""
        empty = ConceptSetExpression()
        shared = self.query.concept_sets.shared(self._sets.get(number_ or 0, empty))
        return (
            exp.select(column("concept_id"))
            .from_(relation(CONCEPT_SETS), copy=False)
            .where(exp.EQ(this=column("codeset_id"), expression=number(shared)), copy=False)
            .subquery(copy=False)
        )
