"""The steward's decision taken in Airflow: one question at a time, shown and then decided.

What was shown is noted by its hash in the node's folder: an answer counts for that question alone.
"""

from __future__ import annotations

import json

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.federation.node.approving import CODES, Asked, decide_unsigned, find, listing
from entrepot.federation.node.opened import Node, open_node
from entrepot.federation.node.states import State

_SHOWN = "shown"
_BODY = """\
Study **{study}**, asked by **{researcher}**: {kind}.

```json
{question}
```

**Approve** lets this node count, without the persons who opposed, and answer with protected
numbers; **Reject** sends the researcher the code `{code}`. Write nothing about a patient."""


def show(site: Site) -> str | None:
    """The oldest question that awaits its steward, as Markdown; None when there is none."""
    with open_node(site) as node:
        waiting = listing(node, State.AWAITING_STEWARD)
        if not waiting:
            return None
        (node.place.folder / _SHOWN).write_text(waiting[0].query, encoding="utf-8")
        return _body(waiting[0])


def answer(site: Site, approved: bool, by: str) -> str:
    """Decides the question that was shown; its hash.

    Args:
        by: as the auth manager names who answered; empty when nobody did: the question waits on.

    Raises:
        ConfigurationError: none was shown, or it was decided elsewhere meanwhile.
    """
    with open_node(site) as node:
        asked = _shown(node)
        if by:
            code = "" if approved else CODES[0]
            decide_unsigned(node, asked.query, f"airflow:{by}", approved, code)
        return asked.query


def _shown(node: Node) -> Asked:
    path = node.place.folder / _SHOWN
    try:
        return find(node, path.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigurationError(
            "no question was shown", where=node.name, remedy="let the DAG ask anew"
        ) from None


def _body(asked: Asked) -> str:
    question = {"analysis": asked.analysis, "cohorts": asked.cohorts}
    return _BODY.format(
        study=asked.study, researcher=asked.researcher, kind=asked.kind, code=CODES[0],
        question=json.dumps(question, ensure_ascii=False, indent=1)[:20_000].replace("```", ""),
    )  # fmt: skip
