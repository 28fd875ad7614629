"""A drop folder takes every complete file once, whoever else is polling and whenever anything dies."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Barrier, Thread

import pytest

from connectors.transport.drop_folder import DropFolder, Taken


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path, clock: Clock) -> DropFolder:
    return DropFolder(tmp_path / "feed", settle_seconds=2, clock=clock)


def store_nothing(path: Path, name: str) -> str | None:
    raise AssertionError(f"{name} was taken")


def poll_settled(folder: DropFolder, clock: Clock, contents: dict[str, bytes]) -> list[Taken]:
    """Poll twice, with time for files to settle in between, and keep what was stored."""

    def store(path: Path, name: str) -> str | None:
        contents[name] = path.read_bytes()
        return None

    first = list(folder.poll(store))
    clock.now += 2
    return first + list(folder.poll(store))


def test_a_file_is_taken_when_it_has_stopped_growing(folder: DropFolder, clock: Clock) -> None:
    file = folder.incoming / "a.hl7"
    file.write_bytes(b"MSH|")
    assert list(folder.poll(store_nothing)) == []
    clock.now = 1.9
    file.write_bytes(b"MSH|^~\\&|")
    assert list(folder.poll(store_nothing)) == []
    clock.now = 3.0
    assert list(folder.poll(store_nothing)) == []
    contents: dict[str, bytes] = {}
    assert poll_settled(folder, clock, contents) == [Taken("a.hl7", None)]
    assert contents == {"a.hl7": b"MSH|^~\\&|"}
    assert [path.name.split("-", 2)[2] for path in folder.done.iterdir()] == ["a.hl7"]
    assert list(folder.incoming.iterdir()) == []


def test_a_file_that_cannot_be_stored_goes_to_failed_with_the_reason_beside_it(
    folder: DropFolder, clock: Clock
) -> None:
    (folder.incoming / "a-b.hl7").write_bytes(b"junk")
    list(folder.poll(store_nothing))
    clock.now = 2
    assert list(folder.poll(lambda path, name: "no format is like this")) == [
        Taken("a-b.hl7", "no format is like this")
    ]
    reasons = [path.read_text() for path in folder.failed.glob("*.reason.txt")]
    assert reasons == ["no format is like this\n"]
    assert len(list(folder.failed.glob("*-a-b.hl7"))) == 1


def test_unfinished_and_hidden_files_wait(folder: DropFolder, clock: Clock) -> None:
    for name in ("a.hl7.tmp", "b.part", ".c.hl7"):
        (folder.incoming / name).write_bytes(b"MSH|")
    (folder.incoming / "folder").mkdir()
    assert poll_settled(folder, clock, {}) == []
    assert len(list(folder.incoming.iterdir())) == 4


def test_links_pipes_and_their_targets_are_never_read(folder: DropFolder, clock: Clock, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for anyone")
    (folder.incoming / "link.hl7").symlink_to(secret)
    os.mkfifo(folder.incoming / "pipe.hl7")
    contents: dict[str, bytes] = {}
    taken = poll_settled(folder, clock, contents)
    assert [(each.name, each.reason is not None) for each in taken] == [("link.hl7", True), ("pipe.hl7", True)]
    assert contents == {}
    assert secret.read_text() == "not for anyone"
    assert list(folder.incoming.iterdir()) == []


def test_what_the_store_raises_leaves_the_file_for_a_later_poll(folder: DropFolder, clock: Clock) -> None:
    (folder.incoming / "a.hl7").write_bytes(b"MSH|")
    list(folder.poll(store_nothing))
    clock.now = 2

    def unavailable(path: Path, name: str) -> str | None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        list(folder.poll(unavailable))
    assert list(folder.done.iterdir()) == []
    contents: dict[str, bytes] = {}
    assert poll_settled(folder, clock, contents) == [Taken("a.hl7", None)]
    assert contents == {"a.hl7": b"MSH|"}


def test_the_same_name_twice_is_kept_twice(folder: DropFolder, clock: Clock) -> None:
    for body in (b"one", b"two"):
        (folder.incoming / "daily.hl7").write_bytes(body)
        poll_settled(folder, clock, {})
    assert sorted(path.read_bytes() for path in folder.done.iterdir()) == [b"one", b"two"]


def test_a_name_as_long_as_the_file_system_allows_is_taken(folder: DropFolder, clock: Clock) -> None:
    (folder.incoming / ("é" * 125 + ".hl7")).write_bytes(b"MSH|")
    taken = poll_settled(folder, clock, {})
    assert [each.name[-5:] for each in taken] == ["é.hl7"]


def test_pollers_side_by_side_take_each_file_once(tmp_path: Path) -> None:
    pollers = [DropFolder(tmp_path, settle_seconds=0) for _ in range(4)]
    for number in range(100):
        (pollers[0].incoming / f"{number}.hl7").write_bytes(b"MSH|")
    taken: list[str] = []
    start = Barrier(len(pollers))

    def store(path: Path, name: str) -> str | None:
        taken.append(path.read_bytes().decode() + name)
        return None

    def work(poller: DropFolder) -> None:
        start.wait()
        while list(poller.poll(store)):
            pass

    threads = [Thread(target=work, args=(poller,)) for poller in pollers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"MSH|{number}.hl7" for number in range(100))
    assert len(list(pollers[0].done.iterdir())) == 100


def test_a_file_whose_worker_was_killed_is_taken_up_again(tmp_path: Path) -> None:
    worker = textwrap.dedent(
        """
        import os, pathlib, signal, sys
        from connectors.transport.drop_folder import DropFolder
        folder = DropFolder(pathlib.Path(sys.argv[1]), settle_seconds=0)
        def store(path, name):
            os.kill(os.getpid(), signal.SIGKILL)
        list(folder.poll(store))
        """
    )
    folder = DropFolder(tmp_path, settle_seconds=0)
    (folder.incoming / "a.hl7").write_bytes(b"MSH|")
    died = subprocess.run([sys.executable, "-c", worker, str(tmp_path)], cwd=Path(__file__).parents[4], check=False)
    assert died.returncode == -9
    assert list(folder.incoming.iterdir()) == []
    assert list(folder.poll(lambda path, name: None)) == [Taken("a.hl7", None)]


def test_a_file_another_worker_holds_is_left_to_it(tmp_path: Path) -> None:
    mine, other = DropFolder(tmp_path, settle_seconds=0), DropFolder(tmp_path, settle_seconds=0)
    (mine.incoming / "a.hl7").write_bytes(b"MSH|")

    def store(path: Path, name: str) -> str | None:
        assert list(other.poll(store_nothing)) == []
        return None

    assert list(mine.poll(store)) == [Taken("a.hl7", None)]
    assert list(other.poll(store_nothing)) == []
