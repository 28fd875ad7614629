"""What a newcomer does in the first hour, through the command as they type it, away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub_core.feeds import OWN_SOURCE
from hub_core.postgres.removal import discard
from tests.samples import SAMPLES

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MARTS = sorted(path.stem for path in (Path(__file__).parents[2] / "dbt" / "models" / "marts").glob("*.sql"))
GROUP = ("--people", "60", "--seed", "5")
PROMISED = {"checks", "identity", "seconds", "peak_mb", "dir"}


@dataclass(frozen=True, slots=True)
class House:
    """An installation, used by its command only."""

    data: Path
    elsewhere: Path

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a verb as from a shell, with no standard input."""
        where = [] if words[0] in {"convert", "check"} else ["--dir", str(self.data)]
        command = [sys.executable, "-m", "pipelines", *map(str, words), *where]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WHOLECHART_")}
        return subprocess.run(
            command,
            cwd=self.elsewhere,
            env=environment | {"PYTHONPATH": str(SAMPLES.parents[1]), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def json(self, *words: str | Path, code: int = 0) -> Any:
        """Return what a verb prints with `--json`, having ended with `code`."""
        done = self.run(*words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the rows that the published warehouse answers."""
        rows: list[dict[str, Any]] = self.json("sql", query)
        return rows


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return a house in which the demo has been run."""
    made = House(tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("elsewhere"))
    done = made.run("demo", *GROUP)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT EQUAL" not in done.stdout
    assert "checks equal" in done.stdout
    yield made
    discard(made.data)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Return a house without feeds, for files that somebody has."""
    made = House(tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("elsewhere"))
    yield made
    discard(made.data)


def test_every_mart_has_rows_and_every_row_its_traces(house: House) -> None:
    for mart in MARTS:
        rows = house.ask(f"SELECT count(*) AS n, count(*) FILTER (WHERE len(traces) > 0) AS traced FROM marts.{mart}")
        assert rows[0]["n"] > 0, mart
        assert rows[0]["n"] == rows[0]["traced"], mart


def test_a_second_demo_changes_nothing_and_says_what_programs_rely_on(house: House) -> None:
    before = house.json("status")
    again = house.json("demo", *GROUP)
    assert again.keys() >= PROMISED
    assert len(again["checks"]) >= 25
    for check in again["checks"]:
        assert check.keys() >= {"name", "truth", "warehouse", "equal"}
        assert check["equal"], check
        assert check["truth"] == check["warehouse"]
    assert again["identity"].keys() == {"precision", "recall", "review"}
    assert again["identity"]["precision"] > 0.95
    assert Path(again["dir"]) == house.data
    after = house.json("status")
    assert (after["record"], after["warehouse"]) == (before["record"], before["warehouse"])


def test_a_demo_keeps_away_from_other_people(house: House, plain: House) -> None:
    other = house.run("demo", "--people", "60", "--seed", "6")
    assert other.returncode == 2
    assert "seed 5" in other.stderr
    plain.json("ingest", SAMPLES / "hospital")
    real = plain.run("demo", *GROUP)
    assert real.returncode == 2
    assert "messages of other feeds" in real.stderr
    assert not (plain.data / "simulation").exists()


def test_live_messages_are_in_the_chart_and_in_the_truth(house: House) -> None:
    live = house.json("demo", *GROUP, "--live")["live"]
    assert [sight["message"] for sight in live] == ["ADT^A28", "ADT^A04", "ORU^R01", "SIU^S12", "SIU^S13"]
    assert all(sight["milliseconds"] > 0 and sight["shown"] for sight in live)
    after = house.json("demo", *GROUP)
    assert [check["name"] for check in after["checks"] if not check["equal"]] == []


def test_every_feed_has_arrived(house: House) -> None:
    feeds = {feed["feed"]: feed for feed in house.json("status")["feeds"]}
    assert len(feeds) == 10
    assert all(int(feed["waiting"]) == 0 for feed in feeds.values())


@pytest.mark.parametrize("mart", MARTS)
def test_a_row_is_traced_to_the_bytes_that_said_so(house: House, mart: str) -> None:
    row = house.ask(f"SELECT * FROM marts.{mart} ORDER BY hash(traces) LIMIT 1")[0]
    key = next(iter(row.values()))
    done = house.run("trace", mart, str(key))
    assert done.returncode == 0, done.stderr
    is_ours = f" from {OWN_SOURCE}\n" in done.stdout  # northgate works here, and sends no messages
    assert ("written here" if is_ours else "message") in done.stdout.lower()


def test_a_second_ingest_changes_nothing_and_the_counts_add_up(plain: House) -> None:
    first = plain.json("ingest", SAMPLES / "family-practice", SAMPLES / "pediatrics-billing", code=1)
    assert first["records"] == first["processed"] + first["duplicates"] + first["filtered"] + first["rejected"] == 99
    assert first["duplicates"] == 1
    assert [(reject["input"], reject["reason"]) for reject in first["rejects"]] == [
        ("family-practice/1-adt.hl7", "PID-3: there is no patient identifier")
    ]
    second = plain.json("ingest", SAMPLES / "family-practice", SAMPLES / "pediatrics-billing")
    assert second["records"] == second["duplicates"] == 99
    assert second["changed"] == 0


def test_files_are_converted_without_a_database(tmp_path: Path) -> None:
    unused, out = House(tmp_path / "data", tmp_path), tmp_path / "fhir"
    done = unused.run("convert", SAMPLES / "family-practice" / "3-results.hl7", "--out", out)
    assert done.returncode == 0, done.stderr
    bundle = json.loads(next(out.glob("*.fhir.json")).read_text())
    assert bundle["resourceType"] == "Bundle"
    assert not unused.data.exists()


def test_a_faulty_file_is_checked_with_a_place_for_each_fault(plain: House) -> None:
    path = SAMPLES / "family-practice" / "1-adt.hl7"
    done = plain.run("check", path)
    assert done.returncode == 1
    assert "PID-3" in done.stdout
    assert "Traceback" not in done.stderr


def test_bad_input_is_one_clear_line_each_and_the_rest_is_taken(plain: House) -> None:
    folder = plain.elsewhere / "mixed"
    folder.mkdir()
    good = (SAMPLES / "hospital" / "2-results.hl7").read_bytes()
    (folder / "good.hl7").write_bytes(good)
    (folder / "empty.hl7").write_bytes(b"")
    (folder / "truncated.hl7").write_bytes(good[:60])
    (folder / "picture.png").write_bytes(bytes(range(256)) * 64)
    (folder / "latin.json").write_bytes('{"resourceType":"Patient","name":[{"family":"Müller"}]}'.encode("latin-1"))
    (folder / "outside.hl7").symlink_to("/etc/passwd")
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.hl7", b"A" * 300_000_000)
    done = plain.run("ingest", folder)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    for name in ("empty.hl7", "truncated.hl7", "picture.png", "latin.json", "outside.hl7", "bomb.zip"):
        assert sum(name in line for line in done.stderr.splitlines()) == 1, (name, done.stderr)
    taken = plain.json("ingest", folder / "good.hl7")
    assert taken["duplicates"] == taken["records"] == 21


@pytest.mark.parametrize(
    "words",
    [
        ("ingest", "no-such-file.hl7"),
        ("ingest", ".", "--feed", "no-such-feed"),
        ("sql", "SELECT 1"),
        ("trace", "patients", "no-such-key"),
        ("messages", "show", "00000000-0000-0000-0000-000000000000"),
        ("no-such-verb",),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_code_2(plain: House, words: tuple[str, ...]) -> None:
    done = plain.run(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
