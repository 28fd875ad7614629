"""The month of northgate, worked through the API: each clinician's patients in order, clinicians side by side."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from hub_core.clock import now
from hub_core.errors import WholechartError
from pipelines import office
from pipelines.demo.api import token_of
from pipelines.demo.northgate.doing import Intention, do
from pipelines.demo.northgate.ledger import Ledger, heard, ledger
from pipelines.demo.northgate.opening import Place, opened

if TYPE_CHECKING:
    from pipelines.installation import Installation

_STALLED_SECONDS = 60.0

Advance = Callable[[int], None]


def has_worked(folder: Path) -> bool:
    """Return whether everything that the script in a folder intends was answered before."""
    return {each["key"] for each in _script(folder)} <= {each.key for each in heard(_ledger(folder))}


def work_month(installation: Installation, address: str, folder: Path, advance: Advance) -> None:
    """Do what the script in a folder intends and was not done before, and wait until payers have answered.

    Args:
        installation: whose month it is.
        address: where its API answers.
        folder: the simulator's, for this location.
        advance: told how many intentions were done since it was told last.

    Raises:
        WholechartError: if the hub refuses what it must not refuse, or the month is not over on this machine's clock.
    """
    script = _script(folder)
    if not script:
        return
    last = max(each["at"] for each in script)
    if last >= now().replace(tzinfo=None).isoformat():
        raise WholechartError(f"northgate's month ends on {last[:10]}, which is still to come on this machine's clock")
    practice = json.loads((folder / "practice.json").read_text(encoding="utf-8"))
    by_clinician = itemgetter("lane")
    lanes = [list(lane) for _, lane in groupby(sorted(script, key=by_clinician), by_clinician)]
    token = token_of(installation, "demo-northgate")
    with ledger(_ledger(folder)) as kept, opened(address, token, practice) as place:
        stop = threading.Event()
        with ThreadPoolExecutor(len(lanes)) as pool:
            try:
                for work in [pool.submit(_work, place, kept, lane, stop, advance) for lane in lanes]:
                    work.result()
            finally:
                stop.set()
    _wait_for_payers(installation)


def _work(place: Place, kept: Ledger, lane: list[Intention], stop: threading.Event, advance: Advance) -> None:
    """Do what is intended for one clinician's patients, one after the other, until another lane fails."""
    try:
        for intention in lane:
            if stop.is_set():
                return
            if not kept.is_done(intention["key"]):
                kept.add(do(place, kept, intention))
            advance(1)
    except BaseException:
        stop.set()
        raise


def _wait_for_payers(installation: Installation) -> None:
    """Ask payers what is still to be asked, without waiting for the office's next round.

    Raises:
        WholechartError: if questions stay unanswered.
    """
    before, moved_at = -1, time.monotonic()
    while time.monotonic() - moved_at < _STALLED_SECONDS:
        office.ask_payers(installation)
        with installation.database.begin() as unit:
            [(left,)] = unit.driver.execute("SELECT count(*) FROM eligibility_check WHERE state = 'queued'").fetchall()
        if not left:
            return
        if left != before:
            before, moved_at = left, time.monotonic()
    raise WholechartError(f"payers were asked, and none answered for {_STALLED_SECONDS:.0f} s")


def _script(folder: Path) -> list[Intention]:
    """Return what is intended; nothing in a group that was simulated before northgate was."""
    path = folder / "month.jsonl"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _ledger(folder: Path) -> Path:
    return folder / "heard" / "heard.csv"
