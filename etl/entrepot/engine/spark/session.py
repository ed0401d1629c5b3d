"""Starts Spark for a site: master by configuration, everything that leaves memory encrypted.

No secret is ever part of Spark's configuration, which its logs and pages show: workers take the
root key from where the site keeps it, and a cluster's own secret stands in spark-defaults.conf.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.config import Site
from entrepot.engine.spark.java import java_home
from entrepot.errors import ConfigurationError, EntrepotError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CORES = re.compile(r"local\[(\d+)")
_UNITS = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}

# What the same SQL needs to mean the same as in DuckDB, and what privacy asks for.
_FIXED: Mapping[str, str] = {
    # An overflow or a bad cast is an error in DuckDB; without ANSI Spark would make it NULL.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    # The warehouse states local civil time: no instant, no zone.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.io.encryption.enabled": "true",
    # A row of the door is a whole batch of records: one at a time bounds a worker's memory.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "4",
    # An error of a worker is told by its type alone; a traceback could quote a record.
    "spark.sql.execution.pyspark.udf.hideTraceback.enabled": "true",
    "spark.sql.pyspark.jvmStacktrace.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.eventLog.enabled": "false",
}
# Spark's messages quote values of rows (a cast that overflows) and its configuration. What fails
# is told as an error; to look for a fault, a site gives a file by spark.driver.extraJavaOptions.
_LOGGING = """\
appender.none.type = Null
appender.none.name = none
rootLogger.level = off
rootLogger.appenderRef.none.ref = none
"""
_LOG_SETTINGS = "log4j2.properties"
_LOCAL: Mapping[str, str] = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
# Sealed batches and pseudonymised rows travel between machines.
_CLUSTER: Mapping[str, str] = {
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
}


def folder(site: Site) -> Path:
    """Everything that Spark writes for this site, apart from event logs."""
    return site.work / "spark"


def _logging(site: Site) -> Path:
    return folder(site) / _LOG_SETTINGS


def settings(site: Site) -> dict[str, str]:
    """Spark's configuration for the site; `spark.conf` of site.yaml comes last."""
    spark = site.config.spark
    told = {
        "spark.master": spark.master,
        "spark.app.name": f"entrepot {site.config.site}",
        "spark.local.dir": str(folder(site) / "local"),
        "spark.sql.warehouse.dir": str(folder(site) / "warehouse"),
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={_logging(site).as_uri()}",
        **_FIXED,
    }
    if spark.master.startswith("local"):
        cores = _CORES.match(spark.master)
        partitions = int(cores[1]) if cores else os.cpu_count() or 1
        told |= {
            **_LOCAL,
            # 200 partitions, Spark's default, cost 20 s a query where one machine holds the data.
            "spark.sql.shuffle.partitions": str(max(partitions, 2)),
            "spark.driver.memory": f"{_mebibytes(site.config.memory_limit)}m",
        }
    else:
        told |= _CLUSTER
    if spark.event_log:
        told |= {
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": (site.research / "logs" / "spark").as_uri(),
        }
    return told | {key: _text(value) for key, value in spark.conf.items()}


@contextmanager
def session(site: Site) -> Iterator[SparkSession]:
    """The process's Spark session: one that runs is used and left as it is.

    Raises:
        ConfigurationError: Spark or Java is missing, or Spark does not start so.
    """
    running = active()
    if running is not None:
        yield running
        return
    started = _start(site)
    try:
        yield started
    finally:
        started.stop()
        shutil.rmtree(folder(site) / "local", ignore_errors=True)


def active() -> SparkSession | None:
    """The process's session, where one runs.

    Raises:
        ConfigurationError: Spark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigurationError(
            "Spark is not installed", remedy="pip install 'entrepot[spark]'"
        ) from None
    return SparkSession.getActiveSession()


def _start(site: Site) -> SparkSession:
    shutil.rmtree(folder(site) / "local", ignore_errors=True)  # of a run that was killed
    (site.research / "logs" / "spark").mkdir(parents=True, exist_ok=True)
    return start(settings(site), folder(site))


def reading(root: Path) -> dict[str, str]:
    """Settings to read tables of others: master and catalogue are those of spark-defaults.conf.

    Args:
        root: folder for all that Spark writes.
    """
    kept = {key: value for key, value in _FIXED.items() if key != "spark.sql.catalogImplementation"}
    return {
        **kept, "spark.app.name": "entrepot quality",
        "spark.local.dir": str(root / "local"), "spark.sql.warehouse.dir": str(root / "warehouse"),
        "spark.driver.extraJavaOptions":
            f"-Dlog4j2.configurationFile={(root / _LOG_SETTINGS).as_uri()}",
    }  # fmt: skip


def start(told: Mapping[str, str], root: Path) -> SparkSession:
    """A new session.

    Args:
        told: its configuration.
        root: folder for all that Spark writes.

    Raises:
        ConfigurationError: Java is missing, or Spark does not start so.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    (root / "local").mkdir(parents=True, exist_ok=True)
    home = java_home(root / "java")
    (root / _LOG_SETTINGS).write_text(_LOGGING, encoding="utf-8")
    python = told.get("spark.pyspark.python", sys.executable)
    # It quotes statements and what Spark says of them, on standard error; `told` says what counts.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    driver = {"PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": sys.executable}
    try:
        with _environment({"JAVA_HOME": str(home), **driver}), _quiet(root / "java.log"):
            return SparkSession.Builder().config(map=dict(told)).getOrCreate()
    except (Py4JError, PySparkException) as error:
        # The message could quote the configuration of the cluster; its log tells all.
        raise ConfigurationError(
            f"Spark does not start ({type(error).__name__})",
            where=f"{told.get('spark.master', 'spark-defaults.conf')}; {root / 'java.log'}",
            remedy="check master and conf of site.yaml; a cluster needs spark.authenticate.secret"
            " in spark-defaults.conf of every machine",
        ) from None


@contextmanager
def _environment(told: Mapping[str, str]) -> Iterator[None]:
    """Spark's launcher and context read these from the environment when they start."""
    former = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """What Java says while it starts, and later, goes to a file; PySpark's warnings nowhere."""
    former = os.dup(2)
    try:
        with log.open("wb") as file, warnings.catch_warnings(action="ignore"):
            os.dup2(file.fileno(), 2)
            yield
    finally:
        os.dup2(former, 2)
        os.close(former)


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turns what Spark says into an error that holds no value of a row.

    Raises:
        ConfigurationError: Spark refuses the statement.
        EntrepotError: it failed while it ran.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, ParseException, PySparkException

    try:
        yield
    except (AnalysisException, ParseException) as error:
        raise ConfigurationError(
            f"Spark refuses the SQL ({error.getCondition() or type(error).__name__})",
            where=where,
            remedy="mend the mapping's SQL",
        ) from None
    except (PySparkException, Py4JError) as error:
        condition = error.getCondition() if isinstance(error, PySparkException) else None
        raise EntrepotError(
            f"Spark failed ({condition or type(error).__name__})",
            where=where,
            remedy="see the log of the cluster; the published release stands, run again",
        ) from None


def _mebibytes(limit: str) -> int:
    """`2GB` as DuckDB writes it, in MiB."""
    number, unit = re.fullmatch(r"([\d.]+)\s*([KMGT])i?B", limit.strip()).groups()  # type: ignore[union-attr]
    return max(int(float(number) * _UNITS[unit]), 1024)


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
