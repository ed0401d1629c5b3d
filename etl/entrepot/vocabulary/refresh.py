"""Loads the vocabulary folder that site.yaml names, when what it holds is not what is loaded."""

from __future__ import annotations

from entrepot.config import Site
from entrepot.errors import ConfigurationError
from entrepot.lock import site_lock
from entrepot.vocabulary.load import VocabularyRelease, folder_sha, load_vocabulary, read_release


def refresh(site: Site) -> VocabularyRelease | None:
    """The release now loaded, or None when the loaded one is what the folder holds.

    The content decides, never a date: an unpacked download carries the dates of its archive.
    Hashing costs some 10 s for the 5 GB of a whole export, loading it minutes.

    Raises:
        ConfigurationError: no folder is named, or it is no Athena export.
        SiteBusyError: a new release has to wait until nobody works on the site.
    """
    named = site.config.airflow.vocabulary
    if named is None:
        raise ConfigurationError(
            "no vocabulary folder is named",
            where="site.yaml: airflow.vocabulary",
            remedy="name the folder of an unpacked Athena download",
        )
    folder = site.path(named)
    if site.vocabulary.is_file() and read_release(site.vocabulary).sha == folder_sha(folder):
        return None
    with site_lock(site):  # a stage reads one release from its start to its end
        return load_vocabulary(folder, site.vocabulary, memory_limit=site.config.memory_limit)
