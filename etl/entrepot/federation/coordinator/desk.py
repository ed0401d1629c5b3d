"""The researcher's desk: a question from files, signed; answers opened with a key file."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from entrepot.errors import ConfigurationError
from entrepot.federation.canonical import NotCanonicalError, read_canonical
from entrepot.federation.cards import StudyCard
from entrepot.federation.coordinator.client import signed_challenge
from entrepot.federation.coordinator.drafts import Draft, drafted
from entrepot.federation.coordinator.opening import Opened, open_bundle
from entrepot.federation.coordinator.sessions import SIGN_IN
from entrepot.federation.envelopes import Envelope, Query, signed
from entrepot.federation.keys import create_sealing_key, read_sealing_key
from entrepot.people import ACT, public_half
from entrepot.yaml_files import read_yaml


class Asking(BaseModel):
    """A question as its file states it; a cohort is a definition or the file of one.

    Args:
        study: its name, or the hash of its card.
        audience: nodes; all sites of the card when empty.
        delivery: empty takes the first that the card allows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str
    cohorts: dict[str, Path | dict[str, Any]]
    analysis: dict[str, Any]
    audience: tuple[str, ...] = ()
    days: int = 14
    minimum_cell: int = 0
    delivery: str = ""


def read_asking(path: Path) -> Asking:
    """The question of a YAML file; files that it names lie beside it.

    Raises:
        ConfigurationError: a key that there is not, or a definition that cannot be read.
    """
    stated = read_yaml(path, Asking)
    cohorts = {
        name: _json(path.parent / one) if isinstance(one, Path) else one
        for name, one in stated.cohorts.items()
    }
    return stated.model_copy(update={"cohorts": cohorts})


def signed_question(
    cards: Mapping[str, StudyCard], asking: Asking, key: Path, answers_key: Path, now: dt.datetime
) -> Envelope:
    """A question of one study, signed by the researcher.

    Args:
        cards: that name the researcher, by hash.
        answers_key: X25519; made when it is not there.

    Raises:
        ConfigurationError: no such study, a value that cannot be, or a key that cannot be read.
        SubmissionError: every node would refuse it; says the code.
    """
    hash_, card = _card(cards, asking.study)
    if not answers_key.exists():
        create_sealing_key(answers_key)
    stated = {
        **asking.model_dump(exclude={"study"}),
        "delivery": asking.delivery or card.deliveries[0],
        "answers_to": read_sealing_key(answers_key).public_key().public_bytes_raw().hex(),
    }
    try:
        draft = Draft.model_validate(stated)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ConfigurationError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    public = public_half(key)
    name = next((one.name for one in card.researchers if one.key == public), "")
    return signed(drafted(draft, card, hash_, name, now), "researcher", key)


def read_bundle(path: Path) -> dict[str, Any]:
    """Answers that were downloaded, or carried by hand.

    Raises:
        ConfigurationError: no JSON object.
    """
    return _json(path)


def open_answers(bundle: dict[str, Any], answers_key: Path | None) -> Opened:
    """`opening.open_bundle` with a key file.

    Raises:
        ConfigurationError: as there, or the key cannot be read.
    """
    return open_bundle(bundle, read_sealing_key(answers_key) if answers_key else None)


def signed_file(file: Path, key: Path) -> tuple[str, str]:
    """Signs what a page gave to download: a challenge to sign in, or the body of a question.

    Returns:
        The signed text, and what it is.

    Raises:
        ConfigurationError: neither of them, or the key cannot be read.
    """
    text = file.read_text(encoding="utf-8").strip()
    try:
        stated = read_canonical(text.encode())
        if isinstance(stated, dict) and stated.get(ACT) == SIGN_IN:
            return json.dumps(signed_challenge(text, key)), "sign-in"
        query = Query.model_validate(stated)
    except (NotCanonicalError, ValidationError):
        raise ConfigurationError(
            "neither a challenge nor a question", where=str(file), remedy="nothing was signed"
        ) from None
    return signed(query, "researcher", key).text(), f"question of {query.study}"


def _card(cards: Mapping[str, StudyCard], study: str) -> tuple[str, StudyCard]:
    found = [(hash_, card) for hash_, card in cards.items() if study in {card.study, hash_}]
    if len(found) != 1:
        raise ConfigurationError(
            "no study of this name names your key" if not found else "several cards of this study",
            where=study, remedy="give the card's hash",
        )  # fmt: skip
    return found[0]


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ConfigurationError("not a JSON object", where=str(path))
    return value
