"""`publish:` of site.yaml: what it takes, what it refuses, and that it never shows a password."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from entrepot.config import CONFIG_NAME, Publish, Site
from entrepot.errors import ConfigurationError
from entrepot.publish.postgres_connection import parse_url
from entrepot.site_files import create_site

pytestmark = pytest.mark.core

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "postgresql.md"


def test_the_commented_lines_of_a_new_site_and_of_the_manual_are_valid(tmp_path: Path) -> None:
    text = (create_site(tmp_path / "site").root / CONFIG_NAME).read_text()
    commented = re.search(r"^# publish:\n(?:#   .*\n)+", text, re.MULTILINE)
    assert commented is not None
    shown = re.search(r"```yaml\n(publish:.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert shown is not None
    for lines in (re.sub(r"^# ", "", commented.group(), flags=re.MULTILINE), shown.group(1)):
        given = Publish.model_validate(yaml.safe_load(lines)["publish"])
        assert parse_url(given.url.get_secret_value()).place == "db.hospital.example:5432/eds"
        assert (given.schema_, given.readers, given.wait_seconds) == ("cdm", ["researchers"], 600)
    assert not Site.open(tmp_path / "site").config.publish.url


@pytest.mark.parametrize(
    "schema", ["pg_cdm", "information_schema", "Cdm", "cdm; DROP", 'c"', "", "1cdm", "c" * 51]
)
def test_a_schema_that_cannot_be_one_is_refused(schema: str) -> None:
    with pytest.raises(ValidationError):
        Publish.model_validate({"schema": schema})


def test_a_wrong_setting_is_named_and_the_url_is_not_shown(tmp_path: Path) -> None:
    root = create_site(tmp_path / "site").root
    with (root / CONFIG_NAME).open("a") as stream:
        stream.write("publish: {url: 'postgresql://u:s3cret@h/d', schema: pg_x}\n")
    with pytest.raises(ConfigurationError, match=r"publish\.schema") as fault:
        Site.open(root)
    assert "s3cret" not in str(fault.value)
    shown = repr(Publish.model_validate({"url": "postgresql://u:s3cret@h/d"}))
    assert "s3cret" not in shown
