"""Why a node refuses a query: a closed list of codes, the same words for everybody.

A code tells of the query and its papers, never of data. What disclosure control holds back is no
refusal: it is an answer in which cells are withheld, like any other.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What is wrong with a query, or what the steward said of it."""

    UNREADABLE = "unreadable"  # no envelope, no query, too large or too deep
    UNSIGNED = "unsigned"  # not just the two signatures
    SIGNATURE_WRONG = "signature_wrong"  # of another key, or over something else
    KEY_REVOKED = "key_revoked"
    CARD_UNKNOWN = "card_unknown"  # no card that this node's steward accepted
    NOT_FOR_THIS_NODE = "not_for_this_node"
    VALIDITY_TOO_LONG = "validity_too_long"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    STUDY_NOT_OPEN = "study_not_open"  # outside of the card's dates
    DELIVERY_NOT_ALLOWED = "delivery_not_allowed"
    ANALYSIS_NOT_ALLOWED = "analysis_not_allowed"  # by the card or by the node's policy
    REPLAYED = "replayed"
    COMPILER_DIFFERS = "compiler_differs"
    DEFINITION_REFUSED = "definition_refused"  # not a cohort that the compiler knows
    ANALYSIS_REFUSED = "analysis_refused"  # parameters that the analysis does not know
    TABLE_NOT_ALLOWED = "table_not_allowed"  # a table that the card does not list
    CONCEPT_SETS_TOO_LARGE = "concept_sets_too_large"
    REFUSED_BY_STEWARD = "refused_by_steward"
    NOT_FEASIBLE = "not_feasible"  # the steward: the question asks for what is not here
    NO_RELEASE = "no_release"  # the frozen release of the study is gone
    FAILED = "failed"  # time, memory or a fault; the node's own log says which


STEWARD = (Code.REFUSED_BY_STEWARD, Code.NOT_FEASIBLE, Code.ANALYSIS_NOT_ALLOWED)


class Refused(Exception):  # noqa: N818 - a disposition that travels as an exception, not an error
    """A query that goes no further."""

    def __init__(self, code: Code) -> None:
        self.code = code
        super().__init__(str(code))
