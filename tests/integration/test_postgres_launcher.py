"""The embedded PostgreSQL with real processes: shared, stopped, and back with every committed row after any kill."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg
import pytest

from hub_core.errors import ConflictError, DatabaseUnavailableError
from hub_core.postgres import places as places_module
from hub_core.postgres.binaries import pg_tools
from hub_core.postgres.launcher import Attachment, attach
from hub_core.postgres.places import locate
from hub_core.postgres.removal import abandoned_areas, discard

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
LINGER = 0.5
GENEROUS = 60.0
"""Seconds after which something that never happens is called a failure; nothing here is fast or slow."""
USER_PROGRAM = """
import sys
from pathlib import Path
from hub_core.postgres.launcher import attach
with attach(Path(sys.argv[1]), linger=float(sys.argv[2])) as attachment:
    print(attachment.conninfo, flush=True)
    sys.stdin.read()
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run the server")


class UserProcess:
    """A process that attaches, and stays until told to leave."""

    def __init__(
        self, data_dir: Path, *, python: str = sys.executable, account: pwd.struct_passwd | None = None, path: str = ""
    ) -> None:
        self._process = subprocess.Popen(
            [python, "-c", USER_PROGRAM, str(data_dir), str(LINGER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PYTHONPATH": path or str(ROOT), "PATH": "/usr/bin:/bin"},
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        assert self._process.stdout is not None
        self.conninfo = self._process.stdout.readline().strip()

    def leave(self) -> None:
        """Let the process end as a command does."""
        self._process.communicate(timeout=GENEROUS)

    def kill(self) -> None:
        """End the process with no chance to say goodbye."""
        self._process.kill()
        self.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """Return a data directory whose server, wherever root has it put, is removed after the test."""
    directory = tmp_path / "data"
    yield directory
    discard(directory)


@pytest.fixture(scope="module")
def attachment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attachment]:
    """Return a use of one server that the tests share which only look at it."""
    directory = tmp_path_factory.mktemp("shared") / "data"
    with attach(directory, linger=LINGER) as attachment:
        yield attachment
    discard(directory)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens by itself."""
    deadline = time.monotonic() + GENEROUS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def postmaster(data_dir: Path) -> psutil.Process:
    """Return the server's first process, found without the code under test."""
    cluster = str(locate(data_dir).cluster)
    return the_one(lambda words: words[0].endswith("/postgres") and cluster in words)


def supervisor(data_dir: Path) -> psutil.Process:
    """Return the process that owns the server."""
    return the_one(lambda words: "hub_core.postgres.supervisor" in words and str(data_dir.resolve()) in words)


def the_one(is_wanted: Callable[[list[str]], bool]) -> psutil.Process:
    """Return the only living process whose command line is wanted."""
    found = [process for process in psutil.process_iter() if (words := command(process)) and is_wanted(words)]
    assert len(found) == 1, f"{len(found)} processes instead of one"
    return found[0]


def command(process: psutil.Process) -> list[str]:
    """Return the command line of a process; empty once it is dead."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def is_running(process: psutil.Process) -> bool:
    """Return whether a process lives; one that nobody has buried yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def note(conninfo: str, text: str) -> None:
    """Commit one row."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text PRIMARY KEY)")
        connection.execute("INSERT INTO note VALUES (%s)", [text])


def notes(conninfo: str) -> list[str]:
    """Return all rows committed so far."""
    with psycopg.connect(conninfo) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM note ORDER BY text")]


def test_two_processes_share_one_server(data_dir: Path) -> None:
    with UserProcess(data_dir) as first, UserProcess(data_dir) as second:
        note(first.conninfo, "from the first")
        assert notes(second.conninfo) == ["from the first"]
        assert is_running(postmaster(data_dir))
        assert is_running(supervisor(data_dir))


def test_many_processes_at_once_make_one_database(data_dir: Path) -> None:
    with ExitStack() as stack:
        starting = [subprocess.Popen(
            [sys.executable, "-c", USER_PROGRAM, str(data_dir), str(LINGER)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) for _ in range(6)]  # fmt: skip
        for process in starting:
            stack.enter_context(process)
        answers = {process.stdout.readline() for process in starting if process.stdout}
        assert len(answers) == 1
        assert is_running(postmaster(data_dir))
        assert is_running(supervisor(data_dir))
        for process in starting:
            process.communicate(timeout=GENEROUS)


def test_the_server_stops_after_its_last_user(data_dir: Path) -> None:
    first, second = UserProcess(data_dir), UserProcess(data_dir)
    server, owner = postmaster(data_dir), supervisor(data_dir)
    socket_dir = Path(locate(data_dir).socket.read_text())
    first.leave()
    time.sleep(3 * LINGER)
    assert is_running(server), "it stopped although somebody uses it"
    second.leave()
    until(lambda: not is_running(server) and not is_running(owner))
    assert not (locate(data_dir).cluster / "postmaster.pid").exists(), "it was not shut down cleanly"
    assert not socket_dir.exists()


def test_quick_successive_users_find_the_same_server(data_dir: Path) -> None:
    with attach(data_dir, linger=5.0):
        server = postmaster(data_dir)
    with attach(data_dir):
        assert postmaster(data_dir) == server


def test_a_killed_user_counts_as_gone(data_dir: Path) -> None:
    user = UserProcess(data_dir)
    note(user.conninfo, "kept")
    server = postmaster(data_dir)
    user.kill()
    until(lambda: not is_running(server))
    with attach(data_dir, linger=LINGER) as attachment:
        assert notes(attachment.conninfo) == ["kept"]


def test_a_killed_server_is_started_again_for_its_users(data_dir: Path) -> None:
    with attach(data_dir, linger=LINGER) as attachment:
        note(attachment.conninfo, "kept")
        server = postmaster(data_dir)
        server.kill()
        server.wait()

        def answers() -> bool:
            try:
                return notes(attachment.conninfo) == ["kept"]
            except psycopg.OperationalError:
                return False

        until(answers)
        assert postmaster(data_dir) != server


def test_a_running_server_is_adopted_when_its_supervisor_was_killed(data_dir: Path) -> None:
    with attach(data_dir, linger=LINGER) as first:
        note(first.conninfo, "kept")
        server, owner = postmaster(data_dir), supervisor(data_dir)
        owner.kill()
        until(lambda: not is_running(owner))
        with attach(data_dir, linger=LINGER) as second:
            assert notes(second.conninfo) == ["kept"]
            assert postmaster(data_dir) == server
            assert supervisor(data_dir) != owner
    until(lambda: not is_running(server))


def test_the_last_user_has_the_server_stopped_although_the_supervisor_was_killed(data_dir: Path) -> None:
    attachment = attach(data_dir, linger=LINGER)
    server, owner = postmaster(data_dir), supervisor(data_dir)
    owner.kill()
    until(lambda: not is_running(owner))
    attachment.close()
    until(lambda: not is_running(server))


@pytest.mark.parametrize(
    "order", [("supervisor", "server", "user"), ("server", "supervisor", "user"), ("user", "supervisor", "server")]
)
def test_everything_killed_at_once_leaves_a_database_that_starts_again(data_dir: Path, order: tuple[str, ...]) -> None:
    user = UserProcess(data_dir)
    note(user.conninfo, "kept")
    server, owner = postmaster(data_dir), supervisor(data_dir)
    kill = {"user": user.kill, "supervisor": owner.kill, "server": server.kill}
    for name in order:
        kill[name]()
    until(lambda: not is_running(owner) and not is_running(server))
    with attach(data_dir, linger=LINGER) as attachment:
        assert notes(attachment.conninfo) == ["kept"]
        assert is_running(postmaster(data_dir))


def test_backends_that_outlive_a_killed_server_do_not_keep_the_next_from_starting(data_dir: Path) -> None:
    user = UserProcess(data_dir)
    note(user.conninfo, "kept")
    with psycopg.connect(user.conninfo, autocommit=True) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        backend.suspend()  # busy, so to speak: it does not notice that its server is gone
        server, owner = postmaster(data_dir), supervisor(data_dir)
        for process in (owner, server):
            process.kill()
        until(lambda: not is_running(server) and not is_running(owner))
        assert is_running(backend)
        with attach(data_dir, linger=LINGER) as attachment:
            assert notes(attachment.conninfo) == ["kept"]
        connection.close()
    user.leave()


@pytest.mark.parametrize("content", ["", "not a number\n", "999999999\n"])
def test_a_stale_pid_file_is_no_obstacle(data_dir: Path, content: str) -> None:
    stop(data_dir)
    (locate(data_dir).cluster / "postmaster.pid").write_text(content)
    with attach(data_dir, linger=LINGER) as attachment:
        assert notes(attachment.conninfo) == ["kept"]


def test_a_pid_that_now_belongs_to_another_process_is_not_taken_for_the_server(data_dir: Path) -> None:
    stop(data_dir)
    cluster = locate(data_dir).cluster
    with subprocess.Popen(["/bin/sleep", "300"]) as stranger:
        lines = [str(stranger.pid), str(cluster), str(int(time.time())), "5432", str(cluster), "", "1 1", "ready"]
        (cluster / "postmaster.pid").write_text("\n".join(lines) + "\n")
        with attach(data_dir, linger=LINGER) as attachment:
            assert notes(attachment.conninfo) == ["kept"]
        until(lambda: not (cluster / "postmaster.pid").exists())
        assert stranger.poll() is None, "the stranger was stopped in the server's place"
        stranger.kill()


def stop(data_dir: Path) -> None:
    """Make a database with one row, and let its server stop."""
    with attach(data_dir, linger=0.0) as attachment:
        note(attachment.conninfo, "kept")
        server = postmaster(data_dir)
    until(lambda: not is_running(server))


def test_a_very_deep_data_directory_has_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["deep" * 10] * 5)
    try:
        with attach(deep, linger=LINGER) as attachment:
            sockets = list(attachment.socket_dir.glob(".s.PGSQL.*"))
            assert sockets
            assert all(len(os.fsencode(path)) <= 107 for path in sockets)
            note(attachment.conninfo, "reached")
    finally:
        discard(deep)


def test_nothing_listens_on_the_network_and_no_secret_is_readable_by_others(attachment: Attachment) -> None:
    family = [postmaster(attachment.data_dir), *postmaster(attachment.data_dir).children(recursive=True)]
    assert not [c for process in family for c in process.net_connections("inet")]
    places = locate(attachment.data_dir)
    assert stat.S_IMODE(places.password.stat().st_mode) == 0o600
    for private in (places.control, places.cluster, places.log_dir, attachment.socket_dir):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700, private
    assert places.password.read_text() not in repr(attachment)


def test_a_wrong_password_is_refused(attachment: Attachment) -> None:
    wrong = attachment.conninfo.replace(locate(attachment.data_dir).password.read_text(), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_log_holds_nothing_of_what_is_stored(data_dir: Path) -> None:
    with attach(data_dir, linger=LINGER) as attachment:
        with psycopg.connect(attachment.conninfo, autocommit=True) as connection:
            connection.execute("CREATE TABLE patient (name text PRIMARY KEY, born date)")
            connection.execute("INSERT INTO patient VALUES ('Quincy Zebra', '1950-01-01')")
            for faulty in (
                "INSERT INTO patient VALUES ('Quincy Zebra', '1950-01-01')",
                "INSERT INTO patient VALUES ('x', 'Quincy Zebra')",
                "SELECT 'Quincy Zebra' FRM nowhere",
                "DO $$ BEGIN RAISE WARNING 'Quincy Zebra'; END $$; SELECT 1/0",
            ):
                with pytest.raises(psycopg.Error):
                    connection.execute(faulty.encode())
        with closing(psycopg.connect(attachment.conninfo, autocommit=True)) as connection:
            connection.pgconn.send_query(b"SELECT 'Quincy Zebra', pg_sleep(60)")
            os.kill(connection.info.backend_pid, signal.SIGSEGV)  # a crash names what ran, in its DETAIL
        places = locate(data_dir)
        until(lambda: any("was terminated by signal" in text for text in server_logs(places.log_dir)))
        assert not [text for text in server_logs(places.log_dir) if "Zebra" in text]


def server_logs(log_dir: Path) -> list[str]:
    """Return the text of every log of a server."""
    return [path.read_text() for path in log_dir.glob("*.log")]


def test_the_database_is_made_as_promised(attachment: Attachment) -> None:
    with psycopg.connect(attachment.conninfo) as connection:
        settings: dict[str, str] = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
        assert settings["data_checksums"] == settings["fsync"] == settings["synchronous_commit"] == "on"
        assert settings["password_encryption"] == "scram-sha-256"
        assert settings["server_encoding"] == "UTF8"
        assert settings["listen_addresses"] == ""
        assert settings["jit"] == "off"
        extensions = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
        assert extensions >= {"btree_gist", "pg_trgm", "fuzzystrmatch", "unaccent"}
        role = connection.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert role == ("wholechart", False)
        assert connection.execute("SELECT current_database()").fetchone() == ("wholechart",)


def test_the_wheels_own_tools_can_back_it_up(attachment: Attachment) -> None:
    note(attachment.conninfo, "in the dump")
    dump = subprocess.run([pg_tools("pg_dump"), attachment.conninfo], capture_output=True, text=True, check=True)
    assert "in the dump" in dump.stdout
    with pytest.raises(DatabaseUnavailableError, match="no_such_tool"):
        pg_tools("no_such_tool")


def test_a_lost_password_is_replaced(data_dir: Path) -> None:
    stop(data_dir)
    locate(data_dir).password.unlink() if os.geteuid() != 0 else locate(data_dir).password.write_text("0" * 48)
    with attach(data_dir, linger=LINGER) as attachment:
        assert notes(attachment.conninfo) == ["kept"]


def test_a_server_that_cannot_start_says_why_in_one_line(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop(data_dir)
    (locate(data_dir).cluster / "postgresql.auto.conf").write_text("shared_buffers = 'nonsense'\n")
    with pytest.raises(DatabaseUnavailableError, match=r"does not start: .*configuration.*errors.*logs: ") as caught:
        attach(data_dir)
    assert "\n" not in str(caught.value)


def test_a_database_of_another_major_version_is_refused(data_dir: Path) -> None:
    stop(data_dir)
    (locate(data_dir).cluster / "PG_VERSION").write_text("13\n")
    with pytest.raises(DatabaseUnavailableError, match="of PostgreSQL 13"):
        attach(data_dir)


def test_what_is_in_use_is_not_discarded(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub_core.postgres.removal._PATIENCE", 0.1)
    with attach(data_dir, linger=0.0) as attachment:
        with pytest.raises(ConflictError, match="in use"):
            discard(data_dir)
        note(attachment.conninfo, "still there")
    monkeypatch.undo()
    places = locate(data_dir)
    discard(data_dir)
    assert not places.control.exists()
    assert not places.area.exists()


@as_root
def test_root_never_runs_the_server_and_changes_no_other_permissions(data_dir: Path) -> None:
    with attach(data_dir, linger=0.0):
        pass  # makes what is made once on a machine
    discard(data_dir)
    untouched = {*data_dir.parents, Path("/var/lib"), Path("/run"), Path("/var"), ROOT, *pg_tools("psql").parents}
    before = {path: permissions(path) for path in untouched}
    with attach(data_dir, linger=LINGER) as attachment:
        family = [postmaster(data_dir), *postmaster(data_dir).children(recursive=True)]
        assert len(family) > 1
        assert all(uid != 0 for process in family for uid in process.uids())
        assert all(gid != 0 for process in family for gid in process.gids())
        assert attachment.log_dir.stat().st_uid == family[0].uids().real
    assert {path: permissions(path) for path in untouched} == before


def permissions(path: Path) -> tuple[int, int, int]:
    """Return mode, owner and group of a file."""
    found = path.stat()
    return found.st_mode, found.st_uid, found.st_gid


@as_root
def test_a_data_directory_whose_server_area_is_gone_says_so(data_dir: Path) -> None:
    stop(data_dir)
    area = locate(data_dir).area
    kept = area.rename(area.with_name(f"{area.name}-moved"))
    try:
        with pytest.raises(DatabaseUnavailableError, match=f"the database is in {area}, which is not there"):
            attach(data_dir)
    finally:
        kept.rename(area)


@as_root
def test_a_moved_data_directory_keeps_its_database_and_a_copy_does_not_get_it(data_dir: Path) -> None:
    stop(data_dir)
    copy = data_dir.with_name("copy")
    shutil.copytree(data_dir, copy)
    with pytest.raises(DatabaseUnavailableError, match="is a copy of"):
        attach(copy)
    shutil.rmtree(copy)
    moved = data_dir.rename(data_dir.with_name("moved"))
    with attach(moved, linger=LINGER) as attachment:
        assert notes(attachment.conninfo) == ["kept"]
    discard(moved)


@as_root
def test_a_data_directory_made_anew_is_empty_and_the_old_database_is_reported(data_dir: Path) -> None:
    stop(data_dir)
    area = locate(data_dir).area
    shutil.rmtree(data_dir)
    assert area in abandoned_areas()
    with attach(data_dir, linger=LINGER) as attachment, pytest.raises(psycopg.errors.UndefinedTable):
        notes(attachment.conninfo)
    assert area in abandoned_areas()
    assert locate(data_dir).area not in abandoned_areas()
    shutil.rmtree(area)


@as_root
def test_a_plain_user_keeps_everything_below_the_data_directory_and_root_may_join(nobodys: Path) -> None:
    account = pwd.getpwnam("nobody")
    python, path = python_of(account)
    data_dir = nobodys / "data"
    with UserProcess(data_dir, python=python, account=account, path=path) as user:
        note(user.conninfo, "kept")
        assert set(postmaster(data_dir).uids()) == {account.pw_uid}
        assert locate(data_dir).area == data_dir / "postgres" / "server"
        assert all(path.stat().st_uid == account.pw_uid for path in data_dir.rglob("*"))
        with attach(data_dir, linger=LINGER) as attachment:
            assert notes(attachment.conninfo) == ["kept"]
        server = postmaster(data_dir)
    until(lambda: not is_running(server))
    with attach(data_dir, linger=LINGER) as attachment:
        assert notes(attachment.conninfo) == ["kept"]
        server = postmaster(data_dir)
        assert set(server.uids()) == {account.pw_uid}
    until(lambda: not is_running(server))
    with UserProcess(data_dir, python=python, account=account, path=path) as user:
        assert notes(user.conninfo) == ["kept"], "what root did left the owner outside"


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """Return a directory of the user `nobody`, where that user can reach it."""
    directory = Path(tempfile.mkdtemp(prefix="wholechart-test-", dir="/tmp"))
    account = pwd.getpwnam("nobody")
    os.chown(directory, account.pw_uid, account.pw_gid)
    yield directory
    discard(directory / "data")
    shutil.rmtree(directory)


def python_of(account: pwd.struct_passwd) -> tuple[str, str]:
    """Return an interpreter and a module path that an account may use, or skip the test."""
    packages = Path(psutil.__file__).parents[1]
    path = f"{ROOT}{os.pathsep}{packages}"
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        try:
            subprocess.run(
                [python, "-c", "import psycopg, psutil, hub_core.postgres.supervisor"],
                user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/", env={"PYTHONPATH": path},
                check=True, capture_output=True,
            )  # fmt: skip
        except (OSError, subprocess.CalledProcessError):
            continue
        return python, path
    pytest.skip(f"no Python with our packages that the user {account.pw_name} may run")


def test_a_socket_directory_taken_by_somebody_else_is_not_used(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.mkdir()
    monkeypatch.setattr(places_module, "_socket_parent", lambda: tmp_path)
    places = locate(data_dir)
    taken = tmp_path / f"wholechart-{places.account.uid}-{places.key}"
    taken.mkdir(mode=0o777)
    taken.chmod(0o777)
    chosen = places_module.socket_directory(places)
    assert chosen != taken
    assert permissions(chosen)[:2] == (stat.S_IFDIR | 0o700, places.account.uid)
