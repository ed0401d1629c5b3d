"""Makes a new site: folders of both zones, a root key, a commented site.yaml."""

from __future__ import annotations

from pathlib import Path

from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import ConfigurationError
from entrepot.keys import create_root

SITE_YAML = """\
# Configuration of one site. Every key is optional; an unknown key is an error.
site: {site}
title: {title}
timezone: Europe/Paris          # the warehouse states local civil time of this zone

# The feeds. `entrepot ingest PATH --source NAME` takes one of these names. Of a fact that several
# feeds tell, the one of the highest rank (0 to 9, else 5) speaks. `validation: strict` judges every
# FHIR resource by the models of the norm; else only what is read of it is checked.
sources:
{sources}
# Who is who. A person's key comes from the first authority listed here that numbered them.
register:
  authority_rank: []            # e.g. ["1.2.250.1.999.1"]
  accept_ins_only: false        # an INS without any local number: quarantine subject_without_ipp
  accept_test_ins: {test_ins}         # OIDs .10 and .11 are test numbers: refuse them in production

# The opposition register must be confirmed (entrepot oppose confirm) at least this often.
oppositions:
  max_age_days: 31
  required: {required}

staging:
  buckets: 16                   # files per kind; about one per 50,000 persons

# database: postgresql+psycopg://…   identifying zone; default: SQLite in the site
# workers: 0                          processes of the door; 0: one per processor
# memory_limit: 2GB
"""

ROOT_KEY = Path("identifying") / "keys" / "root.key"
SOURCES = {
    "adt": "hl7v2", "lab": "hl7v2", "pmsi": "hl7v2", "pharma": "hl7v2", "letters": "hl7v2",
    "fhir": "fhir", "cda": "cda",
}  # fmt: skip
# Movements and messages state more than exports of them: of one fact told twice they speak.
_MORE = {"hl7v2": ", charset: utf-8, rank: 6"}


def create_site(
    folder: Path,
    *,
    title: str = "Hôpital",
    demonstration: bool = False,
) -> Site:
    """Creates the site; refuses to touch one that is there.

    Raises:
        ConfigurationError: the folder already holds a site.
    """
    path = folder / CONFIG_NAME
    if path.exists():
        raise ConfigurationError("a site is here already", where=str(path))
    if (folder / ROOT_KEY).exists():
        raise ConfigurationError(
            "a root key is here already, without its site.yaml", where=str(folder),
            remedy="restore site.yaml beside it, or choose another folder",
        )  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the folder cannot be made ({error.strerror})", where=str(folder)
        ) from None
    name = "".join(c if c.isalnum() or c in "_-" else "-" for c in folder.resolve().name)[:40]
    text = SITE_YAML.format(
        site=name or "hopital",
        title=title,
        sources="".join(
            f"  {name}: {{format: {format_}{_MORE.get(format_, '')}}}\n"
            for name, format_ in SOURCES.items()
        ),
        required=str(not demonstration).lower(),
        test_ins=str(demonstration).lower(),
    )
    path.write_text(text, encoding="utf-8")
    site = Site.open(folder)
    site.identifying.mkdir(mode=0o700, exist_ok=True)
    create_root(site.root_key)
    for one in (site.research, site.staging, site.work, site.reports, site.quality):
        one.mkdir(parents=True, exist_ok=True)
    return site
