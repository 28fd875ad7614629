"""The steps of an export: ask, wait, file by file fetch and store, done; each known after any crash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.transport.bulk_export import BulkServer, Waiting
from connectors.transport.files import look
from hub_core.clock import instant
from pipelines.intake import Intake
from pipelines.pull_state import State, Step, due

if TYPE_CHECKING:
    from hub_core.feeds import Feed
    from hub_core.fhir_servers import Export
    from pipelines.installation import Installation


def next_step(
    installation: Installation, feed: Feed, export: Export, server: BulkServer, state: State, folder: Path
) -> Step:
    """Make the next step of an export and return where it stands then.

    Raises:
        PartnerError: if the server does not answer, or not as it should.
    """
    if state.status is None:
        for left_over in folder.glob("export-*"):
            left_over.unlink()
        since = state.since or (instant(export.since) if export.since else None)
        asked = server.kick_off(export.group, export.types, since)
        return Step("an export was asked for", State(state.since, asked, lost=state.lost, due_at=due(seconds=1)))
    status = state.status
    if state.taken_at is None:
        found = server.look(status)
        if isinstance(found, Waiting):
            return Step("the server is at it", replace(state, failures=0, due_at=due(seconds=found.seconds)))
        state = replace(state, taken_at=found.taken_at, files=found.files, failures=0, due_at=due())
        return Step(f"the export has {len(found.files)} files", state)
    if state.files:
        return _store(installation, feed, server, state, folder)
    server.finish(status)
    done = State(state.taken_at, due_at=due(hours=export.every_hours))
    return Step(f"the export is stored, {state.fetched} files", done)


def _store(installation: Installation, feed: Feed, server: BulkServer, state: State, folder: Path) -> Step:
    """Fetch the next file of the export at work, store what it holds, and forget the file."""
    name = f"export-{state.fetched + 1}.ndjson"
    path = folder / name
    if not path.exists():
        server.download(state.files[0], path)
    intake = Intake(installation, feed)
    if path.stat().st_size:
        for found in look(path, name):
            intake.take_one(found)
    path.unlink()
    state = replace(state, files=state.files[1:], fetched=state.fetched + 1, failures=0, due_at=due())
    tally = intake.tally
    text = f"{name}: {tally.records} records, {tally.duplicates} known, {tally.refused} refused"
    return Step(text, state, tally.records, tally.refused)
