"""Root keys over the years: rotation, escrow, and what of a former key is kept.

Source: reference on pseudonymisation, section 2 (keys); SEC-PSE-1.
"""

from entrepot.rekeying.ages import facts
from entrepot.rekeying.former import current_person_ids, forget
from entrepot.rekeying.rotation import Rotated, resume, rotate

__all__ = ["Rotated", "current_person_ids", "facts", "forget", "resume", "rotate"]
