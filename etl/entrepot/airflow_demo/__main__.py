"""Runs the demonstration until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from entrepot.airflow_demo import Standalone, prepare
from entrepot.errors import EntrepotError


def main() -> int:
    """Runs until Ctrl-C."""
    from rich.markup import escape

    from entrepot.cli.output import console, errors

    parser = argparse.ArgumentParser(
        prog="make airflow", description="Airflow on a synthetic hospital"
    )
    parser.add_argument("--out", type=Path, default=Path("airflow-demo"))
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--parts", type=int, default=4, help="deliveries of the hospital")
    parser.add_argument("--every", type=float, default=120.0, help="seconds between them")
    given = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a closed terminal ends it too
        signal.signal(ending, signal.default_int_handler)
    try:
        demo = prepare(given.out, given.patients, given.seed)
        console.print("Starting Airflow; this takes half a minute.")
        with Standalone(demo.site, given.port) as airflow:
            console.print(f"Airflow: {airflow.url}", highlight=False)
            console.print(
                f"Passwords of its users: {escape(str(airflow.passwords))}", soft_wrap=True
            )
            console.print("Ctrl-C ends it.")
            for part in range(given.parts):
                console.print(f"The hospital dropped {demo.deliver(part, given.parts)} files.")
                _pause(airflow, given.every)
            while airflow.running:
                _pause(airflow, 60.0)
    except KeyboardInterrupt:
        return 0
    except EntrepotError as error:
        errors.print(
            f"[bold red]error:[/] {escape(error.args[0])}", highlight=False, soft_wrap=True
        )
        return error.exit_code
    return 1


def _pause(airflow: Standalone, seconds: float) -> None:
    end = time.monotonic() + seconds
    while airflow.running and time.monotonic() < end:
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
