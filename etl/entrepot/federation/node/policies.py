"""The node's disclosure policy: what ships, until two persons have agreed to another.

A file on the disk is a proposal. It is in force when one person has proposed it and another one has
approved it, each by their signature; both are checked at every start.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from pydantic import ValidationError

from entrepot.audit import Action
from entrepot.errors import ConfigurationError
from entrepot.federation.disclosure import Policy, read_policy
from entrepot.federation.node.opened import Node
from entrepot.federation.node.papers import APPROVERS
from entrepot.federation.node.tables import policy as policies
from entrepot.federation.node.tables import transaction
from entrepot.people import person, sign, verify

FILE = Path("quality") / "federation" / "policy.yaml"
_ACT = "entrepot/federation/policy"


def propose(node: Node, path: Path, by: str, key: Path) -> str:
    """Lays a policy before a second person; returns the SHA-256 of its text.

    Raises:
        ConfigurationError: no policy, or `by` may not decide.
    """
    who = person(node.site, by, *APPROVERS)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("the policy cannot be read", where=str(path)) from None
    _parsed(text, str(path))
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    signature = sign(key, _stated(sha256, "proposed"))
    verify(who, _stated(sha256, "proposed"), signature)
    node.log(Action.POLICY_PROPOSED, {"policy": sha256, "by": by})
    with transaction(node.engine) as connection:
        connection.execute(sa.delete(policies).where(policies.c.sha256 == sha256))
        connection.execute(
            sa.insert(policies).values(
                sha256=sha256, text=text, proposed_by=by, proposed_signature=signature
            )
        )
    return sha256


def approve(node: Node, sha256: str, by: str, key: Path) -> Policy:
    """Puts a proposed policy in force; whoever proposed it cannot.

    Raises:
        ConfigurationError: no such proposal, the same person, or no signature of theirs.
    """
    who = person(node.site, by, *APPROVERS)
    row = _row(node, sha256)
    if row is None or row.approved_by is not None:
        raise ConfigurationError("no such proposal", remedy="entrepot node policy show")
    proposer = person(node.site, row.proposed_by)
    if by == row.proposed_by or who.public_key == proposer.public_key:
        raise ConfigurationError(
            "whoever proposed a policy does not approve it", where="entrepot node policy approve",
            remedy="another steward or data protection officer approves it",
        )  # fmt: skip
    signature = sign(key, _stated(row.sha256, "approved"))
    verify(who, _stated(row.sha256, "approved"), signature)
    node.log(Action.POLICY_APPROVED, {"policy": row.sha256, "by": by})
    with transaction(node.engine) as connection:
        connection.execute(
            sa.update(policies)
            .where(policies.c.sha256 == row.sha256)
            .values(
                approved_by=by, approved_signature=signature,
                approved_at=dt.datetime.now(dt.UTC).isoformat()[:26],
            )
        )  # fmt: skip
    return _parsed(row.text, FILE.name)


def in_force(node: Node) -> Policy:
    """The policy that answers are made under.

    Raises:
        ConfigurationError: the site's file is another one, or a signature is not that of the
            person named. The node answers nothing; the refusal is in the log.
    """
    with transaction(node.engine) as connection:
        row = connection.execute(
            sa.select(policies)
            .where(policies.c.approved_at.is_not(None))
            .order_by(policies.c.approved_at.desc())
            .limit(1)
        ).one_or_none()
    try:
        return _checked(node, row)
    except ConfigurationError:
        node.log(
            Action.REFUSED, {"what": "federation policy", "by": "", "reason": "not agreed by two"}
        )
        raise


def _checked(node: Node, row: Any) -> Policy:
    lying = node.site.root / FILE
    if row is None:
        if lying.exists():
            raise _other()
        return read_policy()
    if hashlib.sha256(row.text.encode()).hexdigest() != row.sha256:
        raise _other()
    if lying.exists() and lying.read_bytes() != row.text.encode():
        raise _other()
    proposer, approver = person(node.site, row.proposed_by), person(node.site, row.approved_by)
    verify(proposer, _stated(row.sha256, "proposed"), row.proposed_signature)
    verify(approver, _stated(row.sha256, "approved"), row.approved_signature)
    if proposer.public_key == approver.public_key:
        raise _other()
    return _parsed(row.text, FILE.name)


def _other() -> ConfigurationError:
    return ConfigurationError(
        "this disclosure policy was not agreed by two persons", where=str(FILE),
        remedy="entrepot node policy propose FILE, then another person: policy approve",
    )  # fmt: skip


def _row(node: Node, start: str) -> Any:
    with transaction(node.engine) as connection:
        rows = connection.execute(sa.select(policies)).all()
    found = [row for row in rows if start and row.sha256.startswith(start)]
    return found[0] if len(found) == 1 else None


def _parsed(text: str, where: str) -> Policy:
    try:
        return Policy.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError:
        raise ConfigurationError("not YAML", where=where) from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{key}: {first['msg']}", where=where) from None


def _stated(sha256: str, step: str) -> dict[str, str]:
    return {"act": _ACT, "policy": sha256, "step": step}
