"""Section 2: versions and SHA-256 of everything that decides what the warehouse holds."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import entrepot
from entrepot import __version__, keys
from entrepot.config import Site, SiteConfig
from entrepot.feeds.feeds import FeedMappings
from entrepot.keys import Keyring
from entrepot.quality.gate import rules_hash
from entrepot.resources import data_files
from entrepot.staging.kinds import KINDS
from entrepot.text import lists_version
from entrepot.text.model_readers import model_hash

_LABEL = re.compile(r"[a-z_]+/v\d+")
LIBRARIES = ("cryptography", "duckdb", "lxml", "msgspec", "presidio-analyzer", "pyarrow", "pypdf")
# A password or a path of this machine says nothing of what the data became.
_NOT_HASHED = {"database", "key_command", "airflow", "processing"}


@dataclass(frozen=True)
class Version:
    """One thing that was used.

    Args:
        name: a code of the words files (`software`, `mappings`…), with what it is of.
        sha256: of its content, empty for what is known by its version.
    """

    name: str
    of: str = ""
    version: str = ""
    sha256: str = ""


def versions(site: Site, keyring: Keyring, mappings: FeedMappings) -> tuple[Version, ...]:
    """Code, mappings, lists, rules, configuration, vocabulary, libraries, keys."""
    overlays = site.overlays
    found = [
        Version("software", "entrepot", __version__, _tree_hash(Path(entrepot.__file__).parent)),
        *(
            Version("mappings", name, sha256=one.fingerprint)
            for name, one in sorted(mappings.sets.items())
        ),
        Version("facts", "mappings/facts.yaml", sha256=mappings.facts.fingerprint),
        Version("omop", "mappings/omop", sha256=_hash(data_files("mappings/omop", "*", overlays))),
        Version(
            "concepts", "mappings/concepts",
            sha256=_hash(data_files("mappings/concepts", "*", overlays)),
        ),
        *_texts(site),
        Version("rules", "quality", sha256=rules_hash(overlays)),
        Version("configuration", "site.yaml", sha256=_config_hash(site.config)),
        *_vocabulary(site),
        *(Version("library", name, version(name)) for name in LIBRARIES),
        Version("root_key", "", keyring.fingerprint),
        *(Version("key", label, label.rpartition("/")[2]) for label in key_labels()),
    ]  # fmt: skip
    return tuple(found)


def _texts(site: Site) -> list[Version]:
    """The lists, those of a site among them, and the model that it adds."""
    text = site.config.text
    model = text.model.folder if text.model is not None else None
    lists = lists_version(text.overlays, text.lists, model)
    found = Version("model", "", "none")
    if text.model is not None:
        found = Version("model", text.model.kind, sha256=model_hash(text.model.folder))
    return [Version("texts", "mappings/text", sha256=lists), found]


def key_labels() -> list[str]:
    """Every label under which a key is derived, with its version."""
    named = (value for name, value in vars(keys).items() if name.isupper())
    stated = {value for value in named if isinstance(value, str)}
    rows = {kind.label for kind in KINDS.values()}
    references = {one.label for kind in KINDS.values() for one in kind.references}
    return sorted(filter(_LABEL.fullmatch, stated | rows | references))


def table_hashes(site: Site) -> dict[str, str]:
    """Canonical SHA-256 of each published table, as the release states them."""
    from entrepot.publish.release import read_release

    release = read_release(site.warehouse)
    return dict(sorted(release.hashes.items())) if release else {}


def _vocabulary(site: Site) -> list[Version]:
    from entrepot.vocabulary.load import read_release

    if not site.vocabulary.is_file():
        return []
    release = read_release(site.vocabulary)
    return [Version("vocabulary", release.name, sha256=release.sha)]


def _config_hash(config: SiteConfig) -> str:
    stated = config.model_dump_json(exclude=_NOT_HASHED, by_alias=True)
    return hashlib.sha256(stated.encode()).hexdigest()


def _tree_hash(folder: Path) -> str:
    return _hash(sorted(folder.rglob("*.py")), folder)


def _hash(paths: list[Path], root: Path | None = None) -> str:
    """Over names and contents; below `root` a name is the whole path."""
    digest = hashlib.sha256()
    for path in paths:
        if path.is_file():
            name = path.relative_to(root).as_posix() if root else path.name
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
