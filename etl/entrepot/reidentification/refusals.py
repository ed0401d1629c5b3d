"""Why an act of the procedure is refused: a closed list of codes, logged, and told in words."""

from __future__ import annotations

from entrepot.errors import EntrepotError

_TOLD = {
    "unknown_motive": ("no motive of the list", "entrepot reidentify motives"),
    "motive_not_allowed": ("this motive is on the list as one that is refused", ""),
    "not_entitled": (
        "nobody of this name has a profile that may do this",
        "entrepot people list; the data protection officer reviews who has which profile",
    ),
    "not_signed": (
        "the signature is not by the key that site.yaml names for this person",
        "sign with your own key: --key FILE",
    ),
    "requester_decides": ("whoever asks cannot approve", "ask two others"),
    "already_decided": ("this person, or this key, has decided already", "ask another person"),
    "not_the_requester": ("only whoever asked may execute", ""),
    "unknown_request": ("there is no such request", "entrepot reidentify list"),
    "refused": ("the request was refused", "a new request needs a new reason"),
    "expired": ("the request has expired", "make a new request"),
    "not_approved": ("the request lacks an approval that holds", "entrepot reidentify list"),
    "window_ended": ("the execution window has ended", "make a new request"),
    "changed": (
        "the request or a decision is not what was signed", "tell the DPO; keep the database",
    ),
    "unknown_person": ("no person of this warehouse bears this number", ""),
    "opposed": ("the person opposed the reuse of their data", ""),
    "several_persons": ("this motive is for one person", "one request for each person"),
    "too_long": ("the request would live longer than its motive allows", ""),
    "clock_moved_back": (
        "the clock stands before the last act that is on record",
        "set the machine's clock; nothing is approved or shown meanwhile",
    ),
}  # fmt: skip
CODES = frozenset(_TOLD)


class Refusal(EntrepotError):  # noqa: N818 - a verdict, not a fault
    """An act that the procedure refuses (SEC-REI).

    Args:
        code: one of `CODES`.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        what, remedy = _TOLD[code]
        super().__init__(f"{what}{f' ({detail})' if detail else ''}", where=code, remedy=remedy)
