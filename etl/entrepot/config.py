"""`site.yaml`: what one site is, read once and validated; an unknown key is an error."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import Field, ValidationError, field_validator

from entrepot.errors import ConfigurationError
from entrepot.sections import (
    Airflow,
    Backups,
    Federation,
    Inbox,
    Model,
    Name,
    Oppositions,
    Person,
    Processing,
    Publish,
    Register,
    Retention,
    Rights,
    Section,
    Source,
    Spark,
    Staging,
    Studies,
    Text,
    User,
)

__all__ = [
    "CONFIG_NAME",
    "Airflow",
    "Backups",
    "Federation",
    "Inbox",
    "Model",
    "Oppositions",
    "Person",
    "Processing",
    "Publish",
    "Register",
    "Retention",
    "Rights",
    "Site",
    "SiteConfig",
    "Source",
    "Spark",
    "Staging",
    "Studies",
    "Text",
]

CONFIG_NAME = "site.yaml"


class SiteConfig(Section):
    """The whole of `site.yaml`."""

    site: Name = "hopital"
    title: str = "Hôpital"
    timezone: str = "Europe/Paris"
    database: str = ""  # SQLAlchemy URL of the identifying zone; empty: SQLite in the site
    key_command: str = ""  # prints the root key in hexadecimal; empty: the site's key file
    workers: Annotated[int, Field(ge=0, le=64)] = 0  # 0: one per processor
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s*(K|M|G|T)i?B$")] = "2GB"
    sources: dict[Name, Source] = Field(default_factory=dict)
    register_: Annotated[Register, Field(alias="register")] = Register()
    oppositions: Oppositions = Oppositions()
    rights: Rights = Rights()
    retention: Retention = Retention()
    text: Text = Text()
    staging: Staging = Staging()
    people: dict[User, Person] = Field(default_factory=dict)
    processing: Processing = Processing()
    publish: Publish = Publish()
    studies: Studies = Studies()
    spark: Spark = Spark()
    airflow: Airflow = Airflow()
    federation: Federation = Federation()
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
        self.root = root.resolve()
        self.config = config.model_copy(update={"text": config.text.placed(self.root)})

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
