"""The sections of `site.yaml` as typed models; `entrepot.config` puts them together."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_SECRET = re.compile(r"secret|password|token|credential", re.IGNORECASE)
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class Section(BaseModel):
    """A part of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Inbox(Section):
    """A folder where a sender drops files, and what becomes of a file that was read."""

    folder: Path  # a relative one is of the site's folder
    quiet_seconds: Annotated[float, Field(ge=0)] = 10  # younger files may still be written
    keep: bool = True  # moved to `done/` of the folder; else deleted


class Source(Section):
    """One feed: who sends it and what is missing from its messages."""

    format: str = "hl7v2"
    charset: str = "utf-8"  # used when MSH-18 is empty, and recorded as a notice
    authority: str = ""  # assigning authority when PID-3.4 is empty
    domain: str = ""  # numbers of two sources are the same number only within one domain
    validation: Literal["shape", "strict"] = "shape"  # strict: every FHIR resource by its model
    rank: Annotated[int, Field(ge=0, le=9)] = 5  # precedence of attributes and facts, 9 wins
    # Where files wait changes no row: left out of the text that tells whether to derive anew.
    inbox: Annotated[Inbox | None, Field(repr=False)] = None


class Register(Section):
    """How persons are told apart."""

    authority_rank: list[str] = []  # the cluster's key comes from the first authority listed here
    authority_alias: dict[str, str] = {}  # several spellings of one assigning authority
    identifier_types: list[str] = ["PI", "MR", "PT", ""]  # PID-3.5 values that are a local number
    accept_ins_only: bool = False  # else: quarantine subject_without_ipp
    accept_test_ins: bool = True  # OIDs .10 and .11; a production site refuses them


class Oppositions(Section):
    """The opposition register and how fresh it must be."""

    max_age_days: Annotated[int, Field(ge=0)] = 31
    required: bool = True  # the demonstration switches the freshness check off
    con_types: list[str] = []  # CON-2 values that feed the register; empty: CON is not read
    inbox: Inbox | None = None  # CSV files of the desk that receives them


class Rights(Section):
    """The second register, the list of erasures, and how it is kept."""

    optout_required: bool = False  # refuses a run without a fresh opt-out register (from 2029)
    optout_max_age_days: Annotated[int, Field(ge=0)] = 31
    optout_types: list[str] = []  # CON-2 values and Consent codes that feed the opt-out register
    # Where the list of erasures lies; a place that backups of the zone do not bring back is best.
    erasures: Path = Path("identifying/erasures.log")
    adult_age: Annotated[int, Field(ge=1, le=30)] = 18  # informed again at this age (LIL 70)


class Backups(Section):
    """Where backups of the site lie, and how long they may be kept."""

    folder: Path  # a relative one is of the site's folder
    keep_days: Annotated[int, Field(ge=1)] = 90


class Retention(Section):
    """How long data are kept (CNIL, référentiel EDS, 7.2)."""

    years: Annotated[int, Field(ge=1, le=100)] = 20  # after the person's last activity
    backups: Backups | None = None
    logs_days: Annotated[int, Field(ge=1)] = 365  # of research/logs: SEC-JOU asks 6 to 12 months
    access_days: Annotated[int, Field(ge=1)] = 31  # of access reports, once they were handed over


User = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]{1,80}$")]


class Person(Section):
    """Somebody who decides or works here, under a named profile (SEC-HAB)."""

    profiles: list[Literal["engineer", "dpo", "steward", "researcher", "reader"]] = []
    public_key: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""  # Ed25519, of approvals


class Studies(Section):
    """Study spaces: what is asked of each, and the PostgreSQL that holds some of them."""

    url: SecretStr = SecretStr("")  # SQLAlchemy's or libpq's; `${NAME}` comes from the environment
    roles: list[Annotated[str, Field(min_length=1, max_length=63)]] = []  # that may read a space
    signed: bool = False  # true: every definition is signed, not only those beyond the minimum
    smallest_unit: Annotated[int, Field(ge=11)] = (
        11  # persons of a unit, below which it is left out
    )
    wait_seconds: Annotated[float, Field(ge=0, le=86_400)] = 600  # for readers to let go


class Federation(Section):
    """The site as a node of federated studies: who coordinates, and how it answers."""

    node: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")] = ""  # its name on cards
    coordinator: Annotated[str, Field(pattern=r"^(https://[^\s]{1,200})?$")] = ""  # empty: by files
    coordinator_keys: list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = []  # pinned
    certificate: Path | None = None  # of this node, PEM; relative ones are of the site's folder
    certificate_key: Path | None = None
    authority: Path | None = None  # that signed the coordinator's certificate; none: the system's
    poll_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 30  # at most, between two calls
    timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] = 600  # of one question
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s*(K|M|G|T)i?B$")] = "2GB"
    hold_answers: bool = False  # true: the steward sees each answer before it leaves
    # A PostgreSQL that answers instead of the frozen file: who loads it, and who may only read.
    url: SecretStr = SecretStr("")
    reader: SecretStr = SecretStr("")


class Airflow(Section):
    """When the DAGs look for work and who answers their questions.

    Users are named as the auth manager knows them: by name for SimpleAuthManager, by the number
    of the account for FAB.
    """

    schedule: str = "*/5 * * * *"  # cron: when the inboxes are looked at
    daily: str = "0 3 * * *"  # cron: when the vocabulary folder is looked at
    vocabulary: Path | None = None  # an unpacked Athena export; a relative one is of the site
    engineers: list[User] = ["engineer"]
    researchers: list[User] = ["researcher"]
    # Never empty: Airflow lets everyone answer a question that names nobody.
    stewards: Annotated[list[User], Field(min_length=1)] = ["dpo"]  # may let a blocked load pass
    dpos: Annotated[list[User], Field(min_length=1)] = ["dpo"]  # sign the report
    answer_hours: Annotated[float, Field(gt=0)] = 24  # a question that nobody answers is a no
    retries: Annotated[int, Field(ge=0)] = 5
    retry_seconds: Annotated[float, Field(ge=0)] = 30  # doubled at each try
    engine: Literal["embedded", "spark"] = "embedded"


class Spark(Section):
    """Where the Spark engine runs, and with which settings of Spark's own."""

    master: str = "local[*]"  # spark://…, yarn, k8s://…: workers need this package and the site
    conf: dict[str, str | int | float | bool] = {}  # e.g. {"spark.executor.memory": "8g"}
    event_log: bool = False  # written to research/logs/spark

    @field_validator("conf")
    @classmethod
    def _no_secret(cls, value: dict[str, object]) -> dict[str, object]:
        """Spark shows its configuration in logs and pages: a secret has no place there."""
        for key in value:
            if not key.startswith("spark."):
                raise ValueError("a setting of Spark starts with spark.")
            if _SECRET.search(key):
                raise ValueError("no secret here: put it into spark-defaults.conf, mode 600")
        return value


class Processing(Section):
    """What the DPO's report says of the processing itself; empty: "not stated"."""

    controller: str = ""  # who decides of the processing (RGPD 4(7))
    dpo: str = ""  # how the data protection officer is reached
    register_entry: str = ""  # number in the register of processing activities (RGPD 30)
    legal_basis: str = ""  # RGPD 6 and 9, and the authorisation or référentiel relied on
    aipd_version: str = ""  # of the data protection impact assessment (RGPD 35)
    aipd_date: dt.date | None = None
    derogations: list[str] = []  # where the site departs from its référentiel, and why
    hosting: str = ""  # who hosts the data, under which certificate (HDS)


class Model(Section):
    """A trained model that joins the text engine: a folder of this machine, never a download."""

    kind: Literal["spacy", "edsnlp", "transformers", "gliner"]
    folder: Path  # a relative one is of the site's folder
    labels: dict[str, str] = {}  # its labels -> ours; '' stays; ours need no entry
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.5
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""  # the one that was approved


class Text(Section):
    """What a site adds to the text engine (docs/reference/text_lists.md)."""

    lists: Path | None = None  # folder of open-data files: INSEE, La Poste, FINESS, RPPS, BDPM
    model: Model | None = None
    overlays: tuple[Path, ...] = ()  # their mappings/text come first; the site's folder is one

    def placed(self, root: Path) -> Text:
        """The same with absolute paths, as processes that do not know the site need them."""
        model = self.model
        if model is not None:
            model = model.model_copy(update={"folder": root / model.folder.expanduser()})
        lists = None if self.lists is None else root / self.lists.expanduser()
        overlays = tuple(dict.fromkeys((*(root / path for path in self.overlays), root)))
        return self.model_copy(update={"lists": lists, "model": model, "overlays": overlays})


class Staging(Section):
    """Size of the staging partitions."""

    buckets: Annotated[int, Field(ge=1, le=4096)] = 16


class Publish(Section):
    """A PostgreSQL that receives each release besides the site's DuckDB file."""

    url: SecretStr = SecretStr("")  # SQLAlchemy's or libpq's; `${NAME}` comes from the environment
    schema_: Annotated[str, Field(alias="schema", pattern=r"^[a-z][a-z0-9_]{0,49}$")] = "cdm"
    readers: list[Annotated[str, Field(min_length=1, max_length=63)]] = []  # roles that may read it
    wait_seconds: Annotated[float, Field(ge=0, le=86_400)] = 600  # for readers to let go

    @field_validator("schema_")
    @classmethod
    def _not_of_postgres(cls, value: str) -> str:
        if value.startswith("pg_") or value == "information_schema":
            raise ValueError("this name is PostgreSQL's own")
        return value
