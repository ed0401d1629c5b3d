"""The whole definition in words, as Markdown: entry, inclusion, exit, concept sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from entrepot.cohorts.definition import (
    CohortExpression,
    ConceptSetItem,
    CustomEra,
    LimitType,
    OneCriterion,
)
from entrepot.cohorts.explaining.criteria import Saying
from entrepot.cohorts.explaining.groups import criterion, group
from entrepot.cohorts.explaining.words import words


def explain(expression: CohortExpression, language: str = "fr") -> str:
    """The definition as Markdown of headings and lists.

    Args:
        language: `fr` or `en`.

    Raises:
        ConfigurationError: another language.
    """
    sets = {one.id: one.name for one in expression.concept_sets}
    saying = Saying(words(language), sets)
    sections = {
        "entry": _entry(saying, expression),
        "inclusion": _inclusion(saying, expression),
        "exit": _exit(saying, expression),
        "concept_sets": _concept_sets(saying, expression),
    }
    written = []
    for name, lines in sections.items():
        if body := list(lines):
            written.append("\n".join([f"## {saying.words.headings[name]}", "", *body]))
    return "\n\n".join(written) + "\n"


def _entry(saying: Saying, expression: CohortExpression) -> Iterator[str]:
    primary = expression.primary_criteria
    yield f"{saying.words.say('entry')}"
    yield ""
    yield from _events(saying, primary.criteria_list)
    yield ""
    window = primary.observation_window
    if window.prior_days or window.post_days:
        yield _stated(saying.words.say("observed", prior=window.prior_days, post=window.post_days))
    yield _limited(saying, "kept_events", primary.primary_criteria_limit.type)
    if expression.additional_criteria is None:
        return
    if not expression.additional_criteria.empty:
        yield ""
        yield from group(saying, expression.additional_criteria, "additional")
        yield ""
    if _several(expression):
        yield _limited(saying, "qualified", expression.qualified_limit.type)


def _inclusion(saying: Saying, expression: CohortExpression) -> Iterator[str]:
    for number, rule in enumerate(expression.inclusion_rules, 1):
        name = rule.name or saying.words.say("nameless")
        yield from group(saying, rule.expression, "rule", number=number, name=name)
        yield ""
    limit = expression.expression_limit.type
    if _several(expression) and (expression.inclusion_rules or limit is not LimitType.ALL):
        yield _limited(saying, "rules_limit", limit)


def _several(expression: CohortExpression) -> bool:
    """A later limit has something to choose from only when all first events were kept."""
    return expression.primary_criteria.primary_criteria_limit.type is LimitType.ALL


def _exit(saying: Saying, expression: CohortExpression) -> Iterator[str]:
    strategy = expression.end_strategy
    if strategy is None:
        yield _stated(saying.words.say("exit_observation"))
    elif strategy.date_offset is not None:
        offset = strategy.date_offset
        yield _stated(saying.words.say(f"exit_offset_{offset.date_field}", days=offset.offset))
    elif strategy.custom_era is not None:
        yield from _custom_era(saying, strategy.custom_era)
    if expression.censoring_criteria:
        yield ""
        yield saying.words.say("censoring")
        yield ""
        yield from _events(saying, expression.censoring_criteria)
        yield ""
    yield _stated(saying.words.say("collapse", days=expression.collapse_settings.era_pad))
    window = expression.censor_window
    if window is not None:
        if window.start_date:
            yield f"- {saying.words.say('censor_from', day=window.start_date)}"
        if window.end_date:
            yield f"- {saying.words.say('censor_to', day=window.end_date)}"


def _custom_era(saying: Saying, era: CustomEra) -> Iterator[str]:
    named = saying.concept_set(era.drug_codeset_id)
    yield _stated(saying.words.say("exit_era", set=named, gap=era.gap_days, offset=era.offset))
    if era.days_supply_override is not None:
        yield _stated(saying.words.say("exit_era_supply", days=era.days_supply_override))


def _concept_sets(saying: Saying, expression: CohortExpression) -> Iterator[str]:
    for one in expression.concept_sets:
        yield f"- {one.name or one.id}"
        for item in one.expression.items:
            yield f"  - {_item(saying, item)}"


def _item(saying: Saying, item: ConceptSetItem) -> str:
    flags = (
        (item.is_excluded, "excluded"),
        (item.include_descendants, "descendants"),
        (item.include_mapped, "mapped"),
    )
    said = [saying.words.say(phrase) for flag, phrase in flags if flag]
    return ", ".join([saying.concept(item.concept), *said])


def _events(saying: Saying, criteria: Iterable[OneCriterion]) -> Iterator[str]:
    for one in criteria:
        first, *rest = criterion(saying, one.criterion)
        yield f"- {first}"
        yield from (f"  {line}" for line in rest)


def _limited(saying: Saying, phrase: str, limit: LimitType) -> str:
    return _stated(saying.words.say(phrase, limit=saying.words.limits[limit]))


def _stated(sentence: str) -> str:
    return f"- {sentence}"
