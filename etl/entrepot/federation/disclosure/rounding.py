"""Random rounding that is always the same for the same persons, whatever the question was.

The direction comes from an HMAC over the set of persons under the node's secret: asking again, or
otherwise, averages nothing. Leaf keys its noise on the query without a secret, the German MII on
the value; both can be replayed. Source: reference on federation, section 4.4.
"""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import numpy.typing as npt

from entrepot.federation.disclosure.policy import Policy
from entrepot.federation.disclosure.tables import PersonSet, set_digest

_COUNT, _SUM, _NOISE = b"count/v1", b"sum/v1", b"noise/v1"


def rounded(persons: PersonSet, policy: Policy, secret: bytes) -> int:
    """The count of a set as it may be told: a multiple of the base, right on average.

    A number n lies between two multiples and goes to the upper one with the probability that makes
    the mean n. Below the threshold no multiple is told: 11 to 14 persons read 15.
    """
    base = policy.rounding_base
    offset = _number(secret, _COUNT, set_digest(persons)) % base
    count = base * ((len(persons) + offset) // base)
    least = base * -(-policy.threshold // base)
    return max(count, least)


def told_range(count: int, policy: Policy) -> tuple[int, int]:
    """Fewest and most persons of whom `rounded` gives this count."""
    slack = policy.rounding_base - 1
    return max(policy.threshold, count - slack), count + slack


def rounded_sum(total: float, unit: float, persons: PersonSet, secret: bytes, label: str) -> float:
    """A sum of non-negative values as a multiple of `unit`, right on average."""
    key = set_digest(persons) + label.encode()
    share = _number(secret, _SUM, key) / 2**64
    return float(unit * np.floor(total / unit + share))


def keyed_noise(
    label: str, persons: PersonSet, size: int, secret: bytes
) -> npt.NDArray[np.float64]:
    """`size` numbers, uniform in [-1, 1), the same for the same persons, label and secret."""
    seed = _bytes(secret, _NOISE, set_digest(persons) + label.encode())
    stream = hashlib.shake_256(seed).digest(8 * size)
    whole = np.frombuffer(stream, dtype="<u8") >> np.uint64(11)  # 53 bits: exact in a float
    return whole.astype(np.float64) / 2.0**52 - 1.0


def _bytes(secret: bytes, label: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, label + b"\x1f" + content, hashlib.sha256)


def _number(secret: bytes, label: bytes, content: bytes) -> int:
    return int.from_bytes(_bytes(secret, label, content)[:8], "big")
