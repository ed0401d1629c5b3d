"""entrepot keys: what the data protection officer and the holders of shares do."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from entrepot.audit import read_entries, verify
from entrepot.cli import main
from entrepot.config import CONFIG_NAME, Site
from entrepot.errors import EXIT_USAGE
from entrepot.keys import site_keyring
from entrepot.landing.ingest import ingest
from entrepot.rekeying.share import read_share
from entrepot.site_files import create_site
from rekeying.zone_at_rest import PEOPLE, contents

pytestmark = pytest.mark.core
MESSAGE = (
    b"MSH|^~\\&|DPI|CHT|EDS|CHT|20240301080000||ADT^A01^ADT_A01|1|P|2.5\rPID|1||4711^^^CHT^PI\r"
)
Keys = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = create_site(tmp_path / "chu", demonstration=True)
    path = made.root / CONFIG_NAME
    path.write_text(path.read_text("utf-8") + PEOPLE, "utf-8")
    (tmp_path / "a.hl7").write_bytes(MESSAGE)
    opened = Site.open(made.root)
    ingest(opened, site_keyring(opened), [tmp_path / "a.hl7"], "adt")
    return opened


@pytest.fixture
def keys(site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keys:
    """Runs `entrepot keys …` on the site: exit code, output, errors."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(
            sys, "argv", ["entrepot", "keys", *map(str, words), "--site", str(site.root)]
        )
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return int(str(left.value.code or 0)), told.out, told.err

    return run


@pytest.fixture
def holders(tmp_path: Path) -> list[Path]:
    """A file for each holder, each on a medium of its own."""
    files = [tmp_path / name / "share.txt" for name in ("usb_a", "usb_b", "usb_c")]
    for file in files:
        file.parent.mkdir()
    return files


def split(keys: Keys, files: list[Path]) -> dict[str, object]:
    code, out, _ = keys("split", "--by", "claire", *_each("--to", files), "--json")
    assert code == 0
    told: dict[str, object] = json.loads(out)
    return told


def _each(option: str, files: list[Path]) -> list[object]:
    return [word for file in files for word in (option, file)]


def test_a_lost_key_comes_back_from_two_shares(site: Site, keys: Keys, holders: list[Path]) -> None:
    before, text = site_keyring(site), site.root_key.read_text()
    told = split(keys, holders)
    assert (told["fingerprint"], told["threshold"]) == (before.fingerprint, 2)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in holders)
    assert not any(text.strip() in file.read_text() for file in holders)

    site.root_key.unlink()
    code, out, _ = keys("escrow-check", *_each("--share", holders[1:]), "--json")
    assert (code, json.loads(out)["fingerprint"]) == (0, before.fingerprint)
    assert not site.root_key.exists()
    code, _, _ = keys("restore", "--by", "claire", *_each("--share", holders[1:]))
    assert code == 0
    assert site.root_key.read_text() == text
    assert stat.S_IMODE(site.root_key.stat().st_mode) == 0o600
    acts = [(e.action, e.facts) for e in read_entries(site, before)]
    assert [act for act, _ in acts] == ["escrow_split", "escrow_restored"]
    assert acts[1][1]["shares"] == ["2", "3"]
    assert verify(site, before).intact


def test_shares_are_typed_line_by_line(
    site: Site, keys: Keys, holders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    split(keys, holders)
    text = site.root_key.read_text()
    site.root_key.unlink()
    typed = [line for file in holders[:2] for line in file.read_text().splitlines()[2:]]
    monkeypatch.setattr("getpass.getpass", lambda _: typed.pop(0))
    assert keys("restore", "--by", "claire")[0] == 0
    assert (site.root_key.read_text(), typed) == (text, [])


def test_a_key_in_place_is_never_overwritten(site: Site, keys: Keys, holders: list[Path]) -> None:
    split(keys, holders)
    site.root_key.write_text("00" * 32)
    code, _, err = keys("restore", "--by", "claire", *_each("--share", holders))
    assert code == EXIT_USAGE
    assert "never overwritten" in err
    assert site.root_key.read_text() == "00" * 32


def test_shares_of_another_key_are_refused(
    site: Site, keys: Keys, holders: list[Path], tmp_path: Path
) -> None:
    """After a rotation the former shares still open former backups, and not this zone."""
    split(keys, holders)
    former = read_share(holders[0]).fingerprint
    assert keys("rotate", "--by", "claire", "--reason", "yearly", "--json")[0] == 0
    code, _, err = keys("escrow-check", *_each("--share", holders[:2]))
    assert code == EXIT_USAGE
    assert former in err
    assert site_keyring(site).fingerprint in err
    other = [tmp_path / name / "new.txt" for name in ("usb_a", "usb_b", "usb_c")]
    split(keys, other)
    assert keys("escrow-check", "--share", other[0], "--share", holders[1])[0] == EXIT_USAGE
    assert keys("escrow-check", *_each("--share", other))[0] == 0


def test_what_is_kept_of_former_keys_may_not_be_lost(
    site: Site, keys: Keys, holders: list[Path]
) -> None:
    """Without it an erased person's record would be taken for a new one."""
    assert keys("rotate", "--by", "claire", "--reason", "yearly")[0] == 0
    kept = site.root_key.with_name("former.keys")
    kept.rename(kept.with_suffix(".away"))
    code, _, err = keys("split", "--by", "claire", *_each("--to", holders))
    assert (code, "former.keys" in err) == (EXIT_USAGE, True)
    kept.with_suffix(".away").rename(kept)
    kept.write_text(kept.read_text().replace("a", "b"))
    assert keys("split", "--by", "claire", *_each("--to", holders))[0] == EXIT_USAGE


@pytest.mark.parametrize("by", ["paul", "nobody"])
def test_only_a_data_protection_officer_may(
    site: Site, keys: Keys, holders: list[Path], by: str
) -> None:
    former = site.root_key.read_text()
    for words in (["split", *_each("--to", holders)], ["rotate", "--reason", "x"]):
        assert keys(*words, "--by", by)[0] == EXIT_USAGE
    site.root_key.unlink()
    assert keys("restore", "--by", by, "--share", "x")[0] == EXIT_USAGE
    assert not any(file.exists() for file in holders)
    assert not site.root_key.exists()
    site.root_key.write_text(former)


def test_shares_are_never_put_together(site: Site, keys: Keys, holders: list[Path]) -> None:
    inside = site.root / "share.txt"
    beside = holders[0].with_name("share2.txt")
    for files in ([*holders[:2], inside], [*holders[:2], beside], holders[:2]):
        code, _, err = keys("split", "--by", "claire", *_each("--to", files))
        assert code == EXIT_USAGE
        assert not any(file.exists() for file in [*holders, inside, beside]), err
    code, _, err = keys("split", "--by", "claire")  # no terminal to show them on
    assert (code, "one at a time" in err) == (EXIT_USAGE, True)


def test_show_tells_no_key(site: Site, keys: Keys, holders: list[Path]) -> None:
    code, out, _ = keys("show")
    assert code == 0
    assert "no split of this key is in escrow" in out
    split(keys, holders)
    keys("rotate", "--by", "claire", "--reason", "yearly")
    code, out, _ = keys("show", "--json")
    told = json.loads(out)
    assert (code, told["version"], told["age_days"]) == (0, 2, 0)
    assert [one["reason"] for one in told["rotations"]] == ["yearly"]
    assert (told["escrowed"], [one["in_force"] for one in told["escrow"]]) == (False, [False])
    assert site.root_key.read_text().strip() not in out


def test_a_site_whose_key_is_in_a_vault(
    site: Site, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new key comes from a command too; the operator names it in site.yaml afterwards."""
    landed = contents(site, site_keyring(site))
    vault, following = tmp_path / "vault", tmp_path / "following"
    site.root_key.rename(vault)
    following.write_text("7f" * 32)
    path = site.root / CONFIG_NAME
    plain = path.read_text("utf-8")
    path.write_text(f"{plain}key_command: cat {vault}\n", "utf-8")
    rotate = ("rotate", "--by", "claire", "--reason", "yearly")
    code, _, err = keys(*rotate)
    assert (code, "--new-key-command" in err) == (EXIT_USAGE, True)
    assert keys(*rotate, "--new-key-command", f"cat {vault}")[0] == EXIT_USAGE  # the same key
    code, out, _ = keys(*rotate, "--new-key-command", f"cat {following}")
    assert code == 0
    assert "key_command must print the new key" in out
    assert keys("show", "--json")[0] == 0
    path.write_text(f"{plain}key_command: cat {following}\n", "utf-8")
    opened = Site.open(site.root)
    assert contents(opened, site_keyring(opened)) == landed
    assert verify(opened, site_keyring(opened)).intact
    assert not site.root_key.exists()
