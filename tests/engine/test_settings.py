"""What Spark is told about a site, and what it may not be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from entrepot.config import CONFIG_NAME, Site
from entrepot.engine.spark.session import folder, settings
from entrepot.errors import ConfigurationError
from entrepot.keys import ENVIRONMENT, load_keyring
from entrepot.site_files import create_site

pytestmark = pytest.mark.core


def _site(path: Path, yaml: str) -> Site:
    create_site(path, demonstration=True)
    (path / CONFIG_NAME).write_text(yaml, encoding="utf-8")
    return Site.open(path)


def test_what_leaves_memory_is_encrypted_and_stays_in_the_site(tmp_path: Path) -> None:
    site = _site(tmp_path / "s", "memory_limit: 3GB\nspark: {master: 'local[3]'}\n")
    told = settings(site)
    assert told["spark.io.encryption.enabled"] == "true"
    assert Path(told["spark.local.dir"]).is_relative_to(site.work)
    assert Path(told["spark.sql.warehouse.dir"]).is_relative_to(folder(site))
    assert told["spark.ui.enabled"] == "false"
    assert told["spark.eventLog.enabled"] == "false"
    assert told["spark.sql.ansi.enabled"] == "true"
    assert told["spark.sql.session.timeZone"] == "UTC"
    assert told["spark.sql.shuffle.partitions"] == "3"
    assert told["spark.driver.memory"] == "3072m"
    assert "spark.authenticate" not in told  # one process, no connection


def test_a_cluster_authenticates_and_encrypts_its_connections(tmp_path: Path) -> None:
    told = settings(_site(tmp_path / "s", "spark: {master: 'spark://h:7077'}\n"))
    assert told["spark.authenticate"] == "true"
    assert told["spark.network.crypto.enabled"] == "true"
    assert "spark.sql.shuffle.partitions" not in told


def test_the_sites_own_settings_come_last(tmp_path: Path) -> None:
    yaml = "spark: {event_log: true, conf: {spark.ui.enabled: true, spark.executor.cores: 4}}\n"
    site = _site(tmp_path / "s", yaml)
    told = settings(site)
    assert told["spark.ui.enabled"] == "true"
    assert told["spark.executor.cores"] == "4"
    assert told["spark.eventLog.dir"] == f"file://{site.research / 'logs' / 'spark'}"


@pytest.mark.parametrize(
    "key", ["spark.authenticate.secret", "spark.ssl.keyStorePassword", "my.own.setting"]
)
def test_a_secret_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"spark\.conf") as refused:
        _site(tmp_path / "s", f"spark: {{conf: {{{key}: hush}}}}\n")
    assert "hush" not in str(refused.value)


def test_the_key_command_gives_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    told = tmp_path / "key with a blank"
    told.write_text("5a" * 32 + "\n")
    by_command = load_keyring(tmp_path / "none", f"cat '{told}'")
    told.chmod(0o600)
    assert by_command.fingerprint == load_keyring(told).fingerprint


@pytest.mark.parametrize("command", ["no-such-command", "false", "echo hush", "echo 'unclosed"])
def test_a_key_command_that_fails_is_told_without_its_words(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    with pytest.raises(ConfigurationError, match="key_command") as told:
        load_keyring(tmp_path / "none", command)
    assert "hush" not in str(told.value)
