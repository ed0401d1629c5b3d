"""Study spaces: a cohort, chosen tables, ids and dates of its own (DESIGN 9; SEC-ESP).

`create`, `refresh`, `close` and `expire` are of `entrepot.study.life`; what other packages need is
here and imports nothing heavy.
"""

from entrepot.study.keys import study_person_id
from entrepot.study.space import facts
from entrepot.study.withdrawal import withdraw

__all__ = ["facts", "study_person_id", "withdraw"]
