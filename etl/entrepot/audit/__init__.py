"""The audit log: who did what with identifying data, as a keyed chain that cannot be cut unseen.

One line per act in `identifying/audit.log`, durable before the act. Each line carries the MAC of
the line before it and its own; the last one is also noted in the zone's database, apart from the
file, and can be noted elsewhere (`entrepot audit head`).
"""

from entrepot.audit.actions import Action
from entrepot.audit.chain import Fault, Verification, verify
from entrepot.audit.entry import Entry
from entrepot.audit.head import Head
from entrepot.audit.log import AuditLog, log_path, read_entries

__all__ = [
    "Action",
    "AuditLog",
    "Entry",
    "Fault",
    "Head",
    "Verification",
    "log_path",
    "read_entries",
    "verify",
]
