"""Serves a coordinator: one port for nodes, one for researchers, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from entrepot.errors import ConfigurationError
from entrepot.federation.coordinator.node_api import node_api
from entrepot.federation.coordinator.settings import Coordinator
from entrepot.federation.coordinator.transport import Listener, serve_all
from entrepot.federation.pages.researcher import researcher_pages

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Served:
    """Two listeners that are bound and do not serve yet."""

    nodes: Listener
    pages: Listener
    nodes_url: str
    pages_url: str

    def run(self) -> None:
        """Until SIGINT or SIGTERM."""
        asyncio.run(serve_all([self.nodes, self.pages]))


@contextmanager
def bound(folder: Path) -> Iterator[Served]:
    """The listeners of a coordinator's folder.

    Raises:
        ConfigurationError: no such folder, a port is taken, or pages without TLS that others than
            this machine could reach.
    """
    opened = Coordinator.open(folder)
    settings = opened.settings
    if not settings.pages_tls and settings.address not in _LOOPBACK:
        raise ConfigurationError(
            "pages without TLS are served to this machine alone",
            where="coordinator.yaml: pages_tls", remedy="set address to 127.0.0.1, or use TLS",
        )  # fmt: skip
    nodes = Listener(node_api(opened), settings.address, settings.port, folder, mutual=True)
    secured = folder if settings.pages_tls else None
    pages = Listener(researcher_pages(opened), settings.address, settings.pages_port, secured)
    scheme, host = "https" if secured else "http", settings.names[0]
    try:
        yield Served(
            nodes, pages, f"https://{host}:{nodes.port}", f"{scheme}://{host}:{pages.port}"
        )
    finally:
        opened.engine.dispose()
