"""Connects to the PostgreSQL of `publish.url`, and tells its faults without password or value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from entrepot.errors import ConfigurationError, EntrepotError, GateBlockedError

if TYPE_CHECKING:
    import psycopg

    Database = psycopg.Connection[tuple[Any, ...]]

_KEY = "publish.url"
_EXAMPLE = "postgresql://loader@host:5432/database"
_SCHEME = re.compile(r"(?:postgresql|postgres)(?:\+\w+)?://")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_LOCAL = ("localhost", "127.0.0.1", "::1")

# What libpq is told unless the URL says otherwise: a dead peer is noticed within two minutes.
_CLIENT = {
    "connect_timeout": "10",
    "application_name": "entrepot",
    "keepalives_idle": "60",
    "keepalives_interval": "15",
    "keepalives_count": "4",
}

# A role's own limits would end a long load; an open path would let another's function run as the
# loader. The server notices a client that died within seconds, in a COPY and in an index build, so
# that no lock outlives its publisher. Names that this version does not know are left out.
_SESSION = {
    "search_path": "pg_catalog",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "standard_conforming_strings": "on",
    "DateStyle": "ISO, YMD",
    "TimeZone": "UTC",
    "synchronous_commit": "on",
    "client_connection_check_interval": "2s",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "15",
    "tcp_keepalives_count": "4",
}
_SET = (
    "SELECT set_config(pg_settings.name, wanted.value, false)"
    " FROM unnest(%s::text[], %s::text[]) AS wanted (name, value)"
    " JOIN pg_settings ON pg_settings.name = wanted.name"
)

_REASONS = (
    ("password authentication failed", "role or password is refused"),
    ("refused", "nothing listens there"),
    ("No such file", "nothing listens there"),
    ("translate host name", "no such host"),
    ("resolve host", "no such host"),
    ("timeout", "no answer in time"),
    ("timed out", "no answer in time"),
    ("pg_hba.conf", "pg_hba.conf admits no such connection"),
    (
        "does not support SSL",
        "it offers no TLS; sslmode=disable only on a network that nobody else reads",
    ),
    ("certificate", "its certificate is not trusted: sslrootcert"),
    ("does not exist", "no such role or database"),
    ("starting up", "it is starting or stopping"),
    ("shutting down", "it is starting or stopping"),
    ("too many clients", "it has no free connection"),
)
# PostgreSQL has a code of its own for ENOSPC alone; a quota and the largest file have only words.
_FULL_WORDS = ("No space left", "File too large", "quota exceeded")
_FULL = "53100"
_LOST = "PostgreSQL stopped or the connection was lost"
# By SQLSTATE, the whole or its class: what to say, and what to do.
_FAULTS: Mapping[str, tuple[str, str]] = {
    "08": (_LOST, "when it answers again, run again"),
    "57P": (_LOST, "when it answers again, run again"),
    _FULL: ("PostgreSQL's disk is full", "free twice the size of the release, then run again"),
    "53": ("PostgreSQL ran out of a resource", "see its log, then run again"),
    "58": ("PostgreSQL's disk is full or fails", "check the disk, then run again"),
    "42501": (
        "the role of publish.url lacks a right",
        "GRANT CREATE ON DATABASE to it, and let it own what it replaces",
    ),
    "25006": ("this PostgreSQL is read only", "publish.url names the primary, not a replica"),
    "2BP01": (
        "something outside the release hangs on it",
        "drop or move it (DROP VIEW …), then run again",
    ),
    "42P06": ("a schema of that name is there already", "choose another publish.schema"),
    "22021": (
        "a text holds the character U+0000, which PostgreSQL cannot store",
        "drop it in the mapping of that text, then run again",
    ),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a PostgreSQL database is.

    Args:
        parameters: libpq's connection parameters; the password among them is never shown.
    """

    parameters: Mapping[str, str] = field(repr=False)

    @property
    def place(self) -> str:
        """Host and database, all that an error tells."""
        given = self.parameters
        if "service" in given and "host" not in given:
            return f"service {given['service']}"
        port = f":{given['port']}" if "port" in given else ""
        host = given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST", "localhost")
        return f"{host}{port}/{given.get('dbname') or os.environ.get('PGDATABASE', '')}"


def parse_url(url: str, environment: Mapping[str, str] = os.environ) -> Address:
    """Reads a URL of SQLAlchemy's or libpq's form; `${NAME}` in it is taken from the environment.

    Raises:
        ConfigurationError: psycopg is not installed, a variable is not set, it is no such URL.
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise ConfigurationError(
            "PostgreSQL needs psycopg", where=_KEY, remedy="pip install 'entrepot[postgres]'"
        ) from None
    text = _filled(url.strip(), environment)
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise ConfigurationError("not a PostgreSQL URL", where=_KEY, remedy=_EXAMPLE)
    try:
        found = conninfo_to_dict(f"postgresql://{text[scheme.end() :]}")
    except psycopg.Error:
        # libpq's message quotes the URL, and the password with it.
        raise ConfigurationError(
            "libpq cannot read this URL", where=_KEY, remedy=f"{_EXAMPLE}; %40 for an @"
        ) from None
    return Address({name: str(value) for name, value in found.items() if value is not None})


@contextmanager
def connect(address: Address) -> Iterator[Database]:
    """A connection in autocommit, with the session settings of a load.

    Over a network TLS is required, unless the URL, the service or `PGSSLMODE` says otherwise.

    Raises:
        EntrepotError: no server, no such database, the password is refused.
    """
    import psycopg
    from psycopg.conninfo import make_conninfo

    parameters: dict[str, Any] = {**_CLIENT, **_tls(address), **address.parameters}
    try:
        # Prepared statements do not survive a pool between; nothing here is run often.
        connection = psycopg.connect(
            make_conninfo(**parameters), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise _refusal(error, address) from None
    try:
        with told(address.place):
            connection.execute(_SET, (list(_SESSION), list(_SESSION.values())))
        yield connection
    finally:
        connection.close()


def execute(
    database: Database, statement: str, parameters: tuple[object, ...] | None = None
) -> list[tuple[Any, ...]]:
    """Runs SQL that was composed from checked names; the rows of the answer, if it has any."""
    cursor = database.execute(statement.encode(), parameters)
    return cursor.fetchall() if cursor.description else []


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turns what PostgreSQL says into an error that holds no value of a row.

    Its own message would: `CONTEXT: COPY note, line 3, column note_text: "…"`.
    """
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise fault(error, place) from None


def fault(error: psycopg.Error, place: str) -> EntrepotError:
    """What PostgreSQL refused, where, and what to do next."""
    import psycopg

    state = error.sqlstate or ""
    table = f" {error.diag.table_name}" if error.diag.table_name else ""
    if isinstance(error, psycopg.IntegrityError):
        # DuckDB holds no keys: that a key is there once is what the gate is trusted with.
        kind = "is empty" if state == "23502" else "is there twice or refers to nothing"
        return GateBlockedError(f"a required field or key {kind}", where=place + table)
    if not state and isinstance(error, psycopg.OperationalError):
        state = "08"
    if any(words in str(error) for words in _FULL_WORDS):
        state = _FULL
    what, remedy = next(
        (_FAULTS[key] for key in (state, state[:3], state[:2]) if key in _FAULTS),
        (f"PostgreSQL refused a statement ({type(error).__name__})", "see its log"),
    )
    stands = (
        ": a whole release is in place, the former one unless it was lost at the very commit"
        if what is _LOST
        else ": the former release stands"
    )
    return EntrepotError(what + stands, where=place + table, remedy=remedy)


def _filled(url: str, environment: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if not environment.get(name):
            raise ConfigurationError(
                f"the environment variable {name} is not set", where=_KEY, remedy=f"export {name}=…"
            )
        whole = match.group(0) == url
        return environment[name] if whole else quote(environment[name], safe="")

    return _VARIABLE.sub(value, url)


def _tls(address: Address) -> dict[str, str]:
    host = address.parameters.get("host") or os.environ.get("PGHOST", "")
    local = not host or host.startswith(("/", "@")) or host in _LOCAL
    named = "service" in address.parameters or "PGSSLMODE" in os.environ
    return {} if local or named else {"sslmode": "require"}


def _refusal(error: psycopg.Error, address: Address) -> EntrepotError:
    connection = error.pgconn
    reason = next((why for word, why in _REASONS if word in str(error)), "")
    if connection is not None and connection.needs_password:
        reason = "it asks for a password: PGPASSWORD, ~/.pgpass or ${NAME} in the URL"
    elif connection is not None and connection.used_password and not reason:
        reason = "role or password is refused"
    return EntrepotError(
        f"PostgreSQL lets no connection in ({reason or 'psql with the same URL tells why'}):"
        " the former release stands",
        where=address.place,
        remedy="start the server or mend publish.url, then run again",
    )
