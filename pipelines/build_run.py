"""One run of the warehouse build: what its stages share, how long each took, and the lock that keeps it alone."""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ehr_pm.record import changes
from hub_core.clock import now
from hub_core.errors import BuildError
from hub_core.snapshot import Snapshot, current_snapshot
from pipelines.dbt_models import project_folder
from pipelines.installation import open_installation
from pipelines.lake.manifest import load_manifest

if TYPE_CHECKING:
    from hub_core.database import Database
    from hub_core.settings import Settings
    from pipelines.increment.workbench import Workbench
    from pipelines.lake.manifest import Manifest
    from pipelines.quality.findings import Finding

OnProgress: TypeAlias = Callable[[str, int], object]
"""Told the stage at work and the rows it has made so far."""

WHOLE_EVERY = timedelta(hours=24)
"""How old what was made whole may grow: files that are changed in place again and again become large and slow."""

_STATE = """
SELECT (SELECT next_seq FROM change_head), (SELECT count(*) FROM message), (SELECT max(arrival) FROM message),
       (SELECT max(processed_at) FROM message), (SELECT count(*) FROM message WHERE state = 'received'),
       (SELECT count(*) FROM reject), (SELECT count(*) FROM person_member),
       (SELECT max(valid_from) FROM person_member), (SELECT max(valid_to) FROM person_member)
"""


@dataclass(frozen=True, slots=True)
class StageReport:
    """How one stage went."""

    name: str
    seconds: float
    rows: int


@dataclass(slots=True)
class BuildRun:
    """One run: what it reads, what it has made so far, and what it found."""

    settings: Settings
    database: Database
    on_progress: OnProgress
    fingerprint: str
    """What the build is made from: the record's state, and the views and models themselves."""
    code: str
    """What the build is made by: the views and models, and the engine that runs them."""
    basis: Snapshot | None = None
    """The snapshot of which only what changed is made anew; everything is where there is none."""
    stages: list[StageReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Why the result may not be published, a line each."""
    snapshot: Snapshot | None = None
    workbench: Workbench | None = None
    """Where what changed is made; none where everything is made anew."""

    @property
    def project(self) -> Path:
        """Return the dbt project."""
        return project_folder()

    @property
    def workshop(self) -> Path:
        """Return the folder where the build is made before it is published."""
        return self.settings.warehouse_dir / "building"

    @property
    def built(self) -> Path:
        """Return the file being built."""
        return self.workshop / "warehouse.duckdb"

    @property
    def dbt_target(self) -> Path:
        """Return the folder where dbt keeps what it has parsed and done."""
        return self.settings.warehouse_dir / "dbt"

    @property
    def current(self) -> Snapshot | None:
        """Return the snapshot that is published now."""
        return current_snapshot(self.settings)

    def stage(self, name: str) -> Stage:
        """Return a stage to be timed: `with run.stage("lake") as stage: stage.rows = 3`."""
        return Stage(self, name)


class Stage:
    """One stage while it runs; its error becomes the reason why the build failed."""

    def __init__(self, run: BuildRun, name: str) -> None:
        self.rows = 0
        self._run = run
        self._name = name
        self._started = 0.0

    def progress(self, rows: int) -> None:
        """Tell how many rows there are by now."""
        self.rows = rows
        self._run.on_progress(self._name, rows)

    def __enter__(self) -> Stage:
        """Start the clock."""
        self._started = time.monotonic()
        self._run.on_progress(self._name, 0)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            self._run.stages.append(StageReport(self._name, time.monotonic() - self._started, self.rows))
        elif isinstance(error, BuildError):
            self._run.failures.append(str(error))
        else:
            # What another engine says may quote a patient's data; its kind does not.
            self._run.failures.append(f"the stage {self._name} failed with {type(error).__name__}")


@contextmanager
def open_run(
    settings: Settings, on_progress: OnProgress = lambda _, __: None, *, whole: bool = False
) -> Iterator[BuildRun]:
    """Give a run of the build, alone on this installation.

    Args:
        settings: the installation.
        on_progress: told the stage at work and the rows it has made so far.
        whole: whether everything is made anew, whatever has changed.

    Raises:
        BuildError: if another build is running.
    """
    with open_installation(settings) as installation:
        settings.warehouse_dir.mkdir(parents=True, exist_ok=True)
        with (settings.warehouse_dir / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BuildError("another build of this installation is running; wait for it to end") from error
            with installation.database.begin() as unit:
                changes.seal(unit.driver)
                state = unit.driver.execute(_STATE).fetchone()
            code = _code(project_folder())
            fingerprint = hashlib.sha256(f"{state!r} {code}".encode()).hexdigest()
            basis = None if whole else _basis(current_snapshot(settings), code, load_manifest(settings.lake_dir))
            run = BuildRun(settings, installation.database, on_progress, fingerprint, code, basis)
            try:
                yield run
            finally:
                if run.workbench is not None:
                    run.workbench.close()


def _basis(snapshot: Snapshot | None, code: str, manifest: Manifest) -> Snapshot | None:
    """Return the snapshot if it can be gone on from: made by the same code, of this lake, and whole not long ago."""
    if snapshot is None or not snapshot.path.exists() or snapshot.code != code or snapshot.whole_at is None:
        return None
    is_of_this_lake = 0 < snapshot.last_seq <= manifest.last_seq
    return snapshot if is_of_this_lake and now() - snapshot.whole_at < WHOLE_EVERY else None


def _code(project: Path) -> str:
    """Return a digest of the engine's version and of the files that say what is made and how."""
    digest = hashlib.sha256(metadata.version("duckdb").encode())
    folders = (project, *(Path(__file__).parent / name for name in ("views", "increment")))
    sources = [path for folder in folders for path in folder.rglob("*") if path.suffix in _SOURCES]
    for path in sorted(sources):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


_SOURCES = frozenset({".sql", ".yml", ".json", ".py"})
