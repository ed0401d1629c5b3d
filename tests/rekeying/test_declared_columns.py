"""Every table of the zone says what a rotation does to its keyed columns, or none takes place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

import entrepot
from entrepot.config import Site
from entrepot.errors import EntrepotError
from entrepot.landing.database import create_tables, zone_engine
from entrepot.rekeying.recoding import require_known
from entrepot.rekeying.tables import APART, undeclared, zone_tables
from entrepot.site_files import create_site

pytestmark = pytest.mark.core


def test_every_binary_column_states_a_rule() -> None:
    """A new table: `Column(…, info=keyed(…))`, see `entrepot.landing.keyed`."""
    assert undeclared(zone_tables()) == []


def test_a_column_without_a_rule_is_found() -> None:
    tables = sa.MetaData()
    sa.Table("t", tables, sa.Column("hmac", sa.LargeBinary(32)), sa.Column("n", sa.Integer))
    assert undeclared(tables) == ["t.hmac"]


def test_every_module_that_adds_tables_is_named() -> None:
    """A table of a module that a rotation does not import would be an unknown one to it."""
    package = Path(entrepot.__file__).parent
    made = re.compile(r'Table\(\s*"(\w+)",\s*_?metadata')
    # A node and a coordinator have databases of their own, whose `metadata` is not the zone's.
    files = [file for file in package.rglob("*.py") if "federation" not in file.parts]
    named = {name for file in files for name in made.findall(file.read_text())}
    assert len(named) > 15
    assert named - APART == set(zone_tables().tables)


def test_an_unknown_table_stops_the_rotation(tmp_path: Path) -> None:
    site: Site = create_site(tmp_path / "chu", demonstration=True)
    zone_tables()
    engine = zone_engine(site)
    create_tables(engine)
    with engine.connect() as connection:
        require_known(connection)
        connection.exec_driver_sql("CREATE TABLE added_by_a_later_version (hmac BLOB)")
        with pytest.raises(EntrepotError, match="added_by_a_later_version"):
            require_known(connection)
    engine.dispose()
