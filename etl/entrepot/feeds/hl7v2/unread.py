"""Fields of a message that no mapping of its event reads: names alone (`PID-13`), never values."""

from __future__ import annotations

import re
from collections.abc import Iterable

from entrepot.feeds.hl7v2.message import Message
from entrepot.feeds.mapping import Mapping, paths_of

_FIELD = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[\d+\])?-([1-9][0-9]{0,2})")
_MOST_FIELDS = 120  # RXE of v2.8 has 46, the widest Z segment seen 60
OTHER = "?"
# What reading itself needs: separators, time, event, number, version, charset; a value's type.
_ALWAYS = {"MSH": {1, 2, 7, 9, 10, 12, 18}, "EVN": {1, 2}, "OBX": {2}}
# A segment that is none of these may be a line of text that slipped: its name is not told.
_SEGMENTS = """
ABS ACC ADD AFF AIG AIL AIP AIS AL1 APR ARQ AUT BHS BLC BLG BPO BPX BTS BTX CDM CER CM0 CM1
CM2 CNS CON CSP CSR CSS CTD CTI DB1 DG1 DMI DRG DSC DSP ECD ECR EDU EQL EQP EQU ERQ ERR EVN
FAC FHS FT1 FTS GOL GP1 GP2 GT1 HXX IAM IAR IIM ILT IN1 IN2 IN3 INV IPC IPR ISD ITM IVC IVT
LAN LCC LCH LDP LOC LRL MFA MFE MFI MRG MSA MSH NCK NDS NK1 NPU NSC NST NTE OBR OBX ODS ODT
OM1 OM2 OM3 OM4 OM5 OM6 OM7 ORC ORG OVR PAC PCE PCR PD1 PDA PDC PEO PES PID PKG PMT PR1 PRA
PRB PRC PRD PRT PSG PSH PSL PSS PTH PV1 PV2 PYE QAK QID QPD QRD QRF QRI RCP RDF RDT REL RF1
RFI RGS RMI ROL RQ1 RQD RXA RXC RXD RXE RXG RXO RXR RXV SAC SCD SCH SCP SDD SFT SID SLT SPM
STF STZ TCC TCD TQ1 TQ2 TXA UAC UB1 UB2 URD URS VAR VND
ZBE ZFA ZFD ZFI ZFM ZFP ZFS ZFT ZFU ZFV
"""
_KNOWN = frozenset(_SEGMENTS.split())
_NONE = set[int]()


class UnreadFields:
    """What a format's mappings leave of a message; one per process, its answers kept by event."""

    def __init__(self) -> None:
        self._read: dict[str, dict[str, set[int]]] = {}

    def of(self, message: Message, mappings: Iterable[Mapping]) -> set[str]:
        """`PID-13` for each field that holds something and is not read."""
        event = message.event
        read = self._read.get(event)
        if read is None:
            read = self._read[event] = _fields_read(mappings)
        found: set[str] = set()
        for segment in message.segments:
            name = segment.name
            if name not in _KNOWN:
                found.add(OTHER)
                continue
            known = read.get(name, _NONE)
            found.update(
                f"{name}-{number}" if number <= _MOST_FIELDS else OTHER
                for number in segment.filled()
                if number not in known
            )
        return found


def _fields_read(mappings: Iterable[Mapping]) -> dict[str, set[int]]:
    read = {name: set(numbers) for name, numbers in _ALWAYS.items()}
    for mapping in mappings:
        for path in paths_of(mapping):
            for name, number in _FIELD.findall(path):
                read.setdefault(name, set()).add(int(number))
    return read
