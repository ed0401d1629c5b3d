"""`site.yaml`: what one site is, read once and validated; an unknown key is an error."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from entrepot.errors import ConfigurationError

CONFIG_NAME = "site.yaml"
_SECRET = re.compile(r"secret|password|token|credential", re.IGNORECASE)
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Inbox(_Strict):
    """A folder where a sender drops files, and what becomes of a file that was read."""

    folder: Path  # a relative one is of the site's folder
    quiet_seconds: Annotated[float, Field(ge=0)] = 10  # younger files may still be written
    keep: bool = True  # moved to `done/` of the folder; else deleted


class Source(_Strict):
    """One feed: who sends it and what is missing from its messages."""

    format: str = "hl7v2"
    charset: str = "utf-8"  # used when MSH-18 is empty, and recorded as a notice
    authority: str = ""  # assigning authority when PID-3.4 is empty
    domain: str = ""  # numbers of two sources are the same number only within one domain
    validation: Literal["shape", "strict"] = "shape"  # strict: every FHIR resource by its model
    rank: Annotated[int, Field(ge=0, le=9)] = 5  # precedence of attributes and facts, 9 wins
    # Where files wait changes no row: left out of the text that tells whether to derive anew.
    inbox: Annotated[Inbox | None, Field(repr=False)] = None


class Register(_Strict):
    """How persons are told apart."""

    authority_rank: list[str] = []  # the cluster's key comes from the first authority listed here
    authority_alias: dict[str, str] = {}  # several spellings of one assigning authority
    identifier_types: list[str] = ["PI", "MR", "PT", ""]  # PID-3.5 values that are a local number
    accept_ins_only: bool = False  # else: quarantine subject_without_ipp
    accept_test_ins: bool = True  # OIDs .10 and .11; a production site refuses them


class Oppositions(_Strict):
    """The opposition register and how fresh it must be."""

    max_age_days: Annotated[int, Field(ge=0)] = 31
    required: bool = True  # the demonstration switches the freshness check off
    con_types: list[str] = []  # CON-2 values that feed the register; empty: CON is not read
    inbox: Inbox | None = None  # CSV files of the desk that receives them


User = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]{1,80}$")]


class Airflow(_Strict):
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


class Spark(_Strict):
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


class Processing(_Strict):
    """What the DPO's report says of the processing itself; empty: "not stated"."""

    controller: str = ""  # who decides of the processing (RGPD 4(7))
    dpo: str = ""  # how the data protection officer is reached
    register_entry: str = ""  # number in the register of processing activities (RGPD 30)
    legal_basis: str = ""  # RGPD 6 and 9, and the authorisation or référentiel relied on
    aipd_version: str = ""  # of the data protection impact assessment (RGPD 35)
    aipd_date: dt.date | None = None
    derogations: list[str] = []  # where the site departs from its référentiel, and why
    hosting: str = ""  # who hosts the data, under which certificate (HDS)


class Staging(_Strict):
    """Size of the staging partitions."""

    buckets: Annotated[int, Field(ge=1, le=4096)] = 16


class Publish(_Strict):
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


class SiteConfig(_Strict):
    """The whole of `site.yaml`."""

    site: Name = "hopital"
    title: str = "Hôpital"
    timezone: str = "Europe/Paris"
    database: str = ""  # SQLAlchemy URL of the identifying zone; empty: SQLite in the site
    key_command: str = ""  # prints the root key in hexadecimal; empty: the site's key file
    workers: Annotated[int, Field(ge=0, le=64)] = 0  # 0: one per processor
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s*(K|M|G|T)i?B$")] = "2GB"
    sources: dict[Name, Source] = {}
    register_: Annotated[Register, Field(alias="register")] = Register()
    oppositions: Oppositions = Oppositions()
    staging: Staging = Staging()
    processing: Processing = Processing()
    publish: Publish = Publish()
    spark: Spark = Spark()
    airflow: Airflow = Airflow()
    as_of: dt.datetime | None = None
    data_start: dt.date = dt.date(1990, 1, 1)  # no event before the site kept electronic records

    @property
    def zone(self) -> ZoneInfo:
        """The one time zone in which the warehouse states local civil time."""
        return ZoneInfo(self.timezone)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone") from None
        return value


class Site:
    """A site's folder: paths of both zones and the configuration."""

    def __init__(self, root: Path, config: SiteConfig) -> None:
        self.root, self.config = root.resolve(), config

    @classmethod
    def open(cls, root: Path) -> Site:
        """Reads `site.yaml` of `root`; raises ConfigurationError naming the file and the key."""
        path = Path(root) / CONFIG_NAME
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            return cls(Path(root), SiteConfig.model_validate(raw))
        except OSError as error:
            raise ConfigurationError(
                f"no site here ({error.strerror})", where=str(path), remedy="entrepot init DIR"
            ) from None
        except UnicodeDecodeError:
            raise ConfigurationError("not UTF-8", where=str(path), remedy="save it so") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            raise ConfigurationError("not YAML", where=f"{path}{line}") from None
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ConfigurationError(
                f"{key}: {first['msg']}", where=str(path), remedy="mend this key of site.yaml"
            ) from None

    @property
    def identifying(self) -> Path:
        """The identifying zone: landing, register, keys."""
        return self.root / "identifying"

    @property
    def research(self) -> Path:
        """The research zone: staging, warehouse, reports, logs."""
        return self.root / "research"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the identifying zone's database."""
        return self.config.database or f"sqlite:///{self.identifying / 'zone.sqlite'}"

    @property
    def root_key(self) -> Path:
        """The root key's file."""
        return self.identifying / "keys" / "root.key"

    @property
    def segments(self) -> Path:
        """Encrypted landing segments."""
        return self.identifying / "landing"

    @property
    def staging(self) -> Path:
        """Staging generations."""
        return self.research / "staging"

    @property
    def work(self) -> Path:
        """The candidate release while it is built."""
        return self.research / "work"

    @property
    def warehouse(self) -> Path:
        """The published DuckDB file."""
        return self.research / "warehouse.duckdb"

    @property
    def vocabulary(self) -> Path:
        """The loaded vocabulary."""
        return self.research / "vocabulary.duckdb"

    @property
    def quality(self) -> Path:
        """Gate results and Data Docs."""
        return self.research / "quality"

    @property
    def reports(self) -> Path:
        """Run reports."""
        return self.research / "reports"

    def path(self, configured: Path) -> Path:
        """A path of `site.yaml`: a relative one is of the site's folder."""
        return self.root / configured.expanduser()

    @property
    def overlays(self) -> tuple[Path, ...]:
        """Folders whose mappings and checks replace or join the shipped ones."""
        return (self.root,)

    @property
    def zone(self) -> ZoneInfo:
        """The one time zone in which the warehouse states local civil time."""
        return self.config.zone
