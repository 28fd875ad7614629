"""Which simulated group an installation holds: its size and seed, its feeds, and its truth, in the data directory."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub_core.errors import ConflictError
from hub_core.feeds import Feed, load_feeds

if TYPE_CHECKING:
    from hub_core.settings import Settings
    from pipelines.installation import Installation

_MARK = "scenario.json"
"""Written last: a simulation without it was broken off and is made anew."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One simulated group: the same people and seed give the same bytes."""

    people: int = 1000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulator wrote."""

    folder: Path

    @property
    def feeds(self) -> Path:
        """Return the folder of feed files and of what each feed sends."""
        return self.folder / "feeds"

    @property
    def truth(self) -> Path:
        """Return the folder of truth files."""
        return self.folder / "truth"

    @property
    def northgate(self) -> Path:
        """Return the folder of the location that runs on the house: its script, its truth, and what it was answered."""
        return self.folder / "northgate"

    @property
    def northgate_truths(self) -> tuple[Path, Path]:
        """Return the folders of what is true at that location: as it was meant, and as the hub numbered it."""
        return (self.northgate / "truth", self.northgate / "heard")

    @property
    def live_truth(self) -> Path:
        """Return the folder of what is true since messages were sent live."""
        return self.folder / "live"

    @property
    def truths(self) -> tuple[Path, ...]:
        """Return every folder of truth."""
        return (self.truth, *self.northgate_truths, self.live_truth)


def simulated(settings: Settings) -> Simulation:
    """Return where an installation keeps its simulated group."""
    return Simulation(settings.data_dir / "simulation")


def refuse_other_data(installation: Installation, scenario: Scenario) -> None:
    """Make sure that simulated people do not end up among real ones, nor among those of another simulation.

    Raises:
        ConflictError: if the installation holds another group, or messages of feeds that are not the group's.
    """
    data_dir, simulation = installation.settings.data_dir, simulated(installation.settings)
    held = _scenario_in(simulation.folder)
    if held is not None and held != scenario:
        raise ConflictError(
            f"{data_dir} holds a simulated group of {held.people} people, seed {held.seed}; a group of"
            f" {scenario.people} people, seed {scenario.seed}, does not belong among them: choose another folder with"
            " --dir"
        )
    own = list(load_feeds(simulation.feeds)) if held else []
    with installation.database.begin() as unit:
        others = unit.driver.execute(
            "SELECT DISTINCT feed FROM message WHERE feed <> ALL(%s) ORDER BY feed LIMIT 1", (own,)
        ).fetchall()
    if others:
        raise ConflictError(
            f"{data_dir} holds messages of other feeds ({others[0][0]}); the demo's people are not real and do not"
            " belong among them: choose another folder with --dir"
        )


def simulate(settings: Settings, scenario: Scenario) -> Simulation:
    """Return the simulated group of an installation, made now unless it is there."""
    from pipelines.simulation.simulate import simulate as write

    simulation = simulated(settings)
    if _scenario_in(simulation.folder) == scenario:
        return simulation
    part = simulation.folder.with_suffix(".part")
    for unfinished in (part, simulation.folder):
        shutil.rmtree(unfinished, ignore_errors=True)
    write(scenario.people, scenario.seed, part)
    (part / _MARK).write_text(json.dumps(asdict(scenario)), encoding="utf-8")
    part.replace(simulation.folder)
    return simulation


def install_feeds(settings: Settings, folder: Path) -> dict[str, Feed]:
    """Copy the feed files of a folder to the installation, keeping those it has already, and return its feeds."""
    settings.feeds.mkdir(parents=True, exist_ok=True)
    for file in sorted(folder.glob("*.yml")):
        target = settings.feeds / file.name
        if not target.exists():
            target.write_bytes(file.read_bytes())
    names = load_feeds(folder).keys()
    return {name: feed for name, feed in load_feeds(settings.feeds).items() if name in names}


def _scenario_in(folder: Path) -> Scenario | None:
    try:
        return Scenario(**json.loads((folder / _MARK).read_bytes()))
    except FileNotFoundError:
        return None
