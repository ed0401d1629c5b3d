"""The officer's own signature under a report: by their key, beside the site's."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from entrepot.audit import Action, AuditLog
from entrepot.config import Site
from entrepot.durable import sync
from entrepot.errors import ConfigurationError, EntrepotError
from entrepot.keys import Keyring
from entrepot.people import ACT, person, sign, verify
from entrepot.report.dpo.signing import check, read_document

PROFILE = "dpo"
ENDORSEMENTS = "endorsements"
_ACT = "report"


@dataclass(frozen=True)
class Endorsement:
    """Who signed these facts; `holds`: by the key that the site names for them, as an officer."""

    by: str
    at: str
    signature: str
    holds: bool = True


def endorse(site: Site, keyring: Keyring, path: Path, by: str, key_file: Path) -> Endorsement:
    """Adds the officer's signature to a report of this site; the act is logged first.

    Raises:
        ConfigurationError: the report is changed or another site's, or `by` is no officer, or the
            key is not theirs.
    """
    checked = check(path, keyring)
    if not checked.holds:
        raise ConfigurationError(
            "this report was changed, or is another site's", where=str(path),
            remedy="entrepot report dpo makes one anew",
        )  # fmt: skip
    officer = person(site, by, PROFILE)
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    payload = _payload(checked.sha256, by, at)
    signature = sign(key_file, payload)
    verify(officer, payload, signature)
    AuditLog(site, keyring).append(Action.APPROVED, {"what": _ACT, "by": by})
    made = Endorsement(by, at, signature)
    document = read_document(path)
    stated = {name: value for name, value in asdict(made).items() if name != "holds"}
    document[ENDORSEMENTS] = [*document.get(ENDORSEMENTS, []), stated]
    _write(path, document)
    return made


def endorsements(site: Site, path: Path, sha256: str) -> list[Endorsement]:
    """Every officer's signature under a report, judged.

    Args:
        sha256: of its facts.

    Raises:
        ConfigurationError: the file is no report.
    """
    stated = read_document(path).get(ENDORSEMENTS, [])
    return [_judged(site, one, sha256) for one in stated if isinstance(one, dict)]


def _judged(site: Site, stated: dict[str, Any], sha256: str) -> Endorsement:
    by, at, signature = (str(stated.get(name, "")) for name in ("by", "at", "signature"))
    try:
        verify(person(site, by, PROFILE), _payload(sha256, by, at), signature)
    except ConfigurationError:
        return Endorsement(by, at, signature, holds=False)
    return Endorsement(by, at, signature)


def _payload(sha256: str, by: str, at: str) -> dict[str, Any]:
    return {ACT: _ACT, "sha256": sha256, "by": by, "at": at}


def _write(path: Path, document: dict[str, Any]) -> None:
    """In one step: a report half written would be none."""
    following = path.with_name(f".{path.name}.next")
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    try:
        following.write_text(text, encoding="utf-8")
        sync(following)
        os.replace(following, path)
    except OSError as error:
        raise EntrepotError(
            f"the report cannot be written ({error.strerror})", where=str(path),
            remedy="free space or mend its folder's rights, then sign again",
        ) from None  # fmt: skip
