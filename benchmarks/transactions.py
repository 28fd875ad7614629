"""sekmet-fhir, a FHIR server over SQLite, taking resources as transactions over HTTP: a peer of the record's intake."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from benchmarks.measuring import Work
from benchmarks.scratch import free_port, serving

_ENTRIES: Final = 100
"""Resources of one transaction."""
_NAMES: Final = re.compile(rb'("(?:reference|id)":"(?:[A-Za-z]+/)?[0-9a-f]{8}-[0-9a-f-]{27})"')
_HEADERS: Final = {"Content-Type": "application/fhir+json"}


@dataclass(frozen=True, slots=True)
class TransactionServer:
    """The peer, running on a port of this machine."""

    client: httpx.Client
    process: psutil.Process

    def taking(self, lines: Sequence[bytes], round_: int) -> Work:
        """Return the work of posting the lines as transactions, in each round of other people."""
        resources = [json.loads(_NAMES.sub(rb'\1-%d"' % round_, line)) for line in lines]
        bundles = [_bundle(resources[start : start + _ENTRIES]) for start in range(0, len(resources), _ENTRIES)]
        return lambda: self._post(bundles, len(resources))

    def _post(self, bundles: list[bytes], resources: int) -> int:
        for bundle in bundles:
            self.client.post("fhir", content=bundle, headers=_HEADERS).raise_for_status()
        return resources


@contextmanager
def transaction_server() -> Iterator[TransactionServer]:
    """Give the peer as it is installed, its simulated hospital switched off: that would answer claims and orders."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "settings.yaml"
        data = json.dumps({"data_dir": folder, "simulator": {"enabled": False}})  # JSON is YAML
        config.write_text(data, encoding="utf-8")
        arguments = ("sekmet.main:app_factory", "--factory", "--port", str(port), "--no-access-log")
        with (
            serving("uvicorn", *arguments, port=port, environment={"SEKMET_CONFIG": str(config)}) as server,
            httpx.Client(base_url=f"http://127.0.0.1:{port}/", trust_env=False, timeout=60) as client,
        ):
            yield TransactionServer(client, server.process)


def _bundle(resources: list[dict[str, object]]) -> bytes:
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in resources
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
