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
# `inbox: {{folder: /srv/feeds/adt}}` is a folder that Airflow empties into landing; a file that
# nobody wrote to for `quiet_seconds: 10` is read, then moved to `done/` (`keep: false`: deleted).
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
  # inbox: {{folder: /srv/oppositions}}   CSV files: authority,ipp,opposed_on,withdrawn_on

# The opt-out from secondary use (EHDS, article 71), and the list of erasures, which every run
# applies before mapping: keep it where no backup of the zone brings back an older one
# (docs/how-to/rights.md).
# rights:
#   optout_required: false              true: no run without a fresh opt-out register either
#   optout_types: []                    CON-2 values and Consent codes that feed it
#   erasures: identifying/erasures.log

# How long data are kept; `entrepot retention purge` erases what is over it.
# retention:
#   years: 20                           after a person's last activity
#   backups: {{folder: /srv/backups/eds, keep_days: 90}}
#   logs_days: 365

# What the DPO's report (entrepot report dpo) says of the processing; what is left out is printed
# as not stated.
# processing:
#   controller: CHU de …                who decides of the processing
#   dpo: dpo@…                          how the data protection officer is reached
#   register_entry: 2025-017            in the register of processing activities
#   legal_basis: RGPD 6(1)(e) and 9(2)(j); référentiel EDS
#   aipd_version: "2.1"
#   aipd_date: 2025-06-30
#   derogations: []
#   hosting: certified HDS host, …

# Who decides and works here, and under which profile: engineer, dpo, steward, researcher, reader
# (`entrepot people key FILE` makes the key that signs a person's approvals).
# people:
#   c.moreau: {{profiles: [dpo], public_key: 5f2a…}}

# Who decides, under which profile, with the public half of their key (entrepot people key FILE).
# people:
#   claire.vigne: {{profiles: [dpo], public_key: 3f9c…}}
#   marc.roy: {{profiles: [steward, reader], public_key: 88a1…}}
#   lea.nguyen: {{profiles: [researcher], public_key: 5d02…}}

# What the site adds to the text engine: a folder of open-data files as they are published (INSEE,
# La Poste, FINESS, RPPS, BDPM: docs/reference/text_lists.md), and a model (off by default).
# text:
#   lists: lists
#   model: {{kind: spacy, folder: models/fr, labels: {{PER: NOM}}}}

staging:
  buckets: 16                   # files per kind; about one per 50,000 persons

# database: postgresql+psycopg://…   identifying zone; default: SQLite in the site
# workers: 0                          processes of the door; 0: one per processor
# memory_limit: 2GB
# key_command: vault read -field=key …  prints the root key; workers of a cluster call it too

# A PostgreSQL that receives each release too (docs/how-to/postgresql.md). The password comes from
# ~/.pgpass, PGPASSWORD or a variable: ${{NAME}} in the URL is taken from the environment.
# publish:
#   url: postgresql://loader@db.hospital.example:5432/eds
#   schema: cdm                         # and cdm_etl; made anew at each publication
#   readers: [researchers]              # roles that may read the release, nothing else
#   wait_seconds: 600                   # for readers that keep the former release open

# Study spaces (docs/how-to/study_spaces.md): a PostgreSQL of their own, the login roles that a
# definition may name as readers, and whether every definition has to be signed.
# studies:
#   url: postgresql://loader@db.hospital.example:5432/studies
#   roles: [lea_nguyen]
#   signed: false
#   smallest_unit: 11                   persons; units of fewer are left out

# The site as a node of federated studies (docs/how-to/federation.md); `entrepot node init` makes
# its keys. Without a coordinator's address, questions and answers are carried as files.
# federation:
#   node: chu-nord                      its name on study cards
#   coordinator: https://reseau.example:8443
#   coordinator_keys: [5f2a…]           whose counter-signature is believed
#   certificate: identifying/node/tls.crt
#   certificate_key: identifying/node/tls.key
#   authority: identifying/node/authority.crt
#   timeout_seconds: 600                of one question
#   hold_answers: false                 true: the steward sees each answer before it leaves

# The Spark engine (`entrepot run --engine spark`); master and settings as Spark writes them.
# spark:
#   master: "local[*]"                  or spark://host:7077, yarn, k8s://…
#   conf: {{spark.driver.memory: 4g}}     no secret: that is for spark-defaults.conf
#   event_log: false                    true: research/logs/spark

# Airflow (docs/how-to/airflow.md): when inboxes are looked at, and who answers its questions.
# airflow:
#   schedule: "*/5 * * * *"
#   vocabulary: /srv/athena             an unpacked Athena export; loaded when its content changes
#   engineers: [engineer]
#   researchers: [researcher]
#   stewards: [dpo]                     who may let a blocked load pass
#   dpos: [dpo]                         who signs the report
#   answer_hours: 24                    a question that nobody answers is a no
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
