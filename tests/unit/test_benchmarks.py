"""The benchmarks: every one is in the registry and can be run, and a figure has the shape programs rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import measuring, registry
from benchmarks.inputs import numbered
from benchmarks.measuring import Figure, percentile, take_turns
from hub_core.errors import ConfigurationError
from pipelines.commands import bench as verb

ROOT = Path(__file__).parents[2]
MODULES = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "def measure(scale: float)" in path.read_text()}
FIGURE = Figure("convert", "messages per second", {"wholechart": 20.0, "a peer": 10.0}, "ten messages", "notes")
PROMISED = {"benchmark", "unit", "results", "command", "input", "machine", "at"}


def test_every_benchmark_is_registered_and_described_in_the_readme() -> None:
    assert set(registry.BENCHMARKS) == MODULES
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert [name for name in registry.BENCHMARKS if f"| `{name}` |" not in readme] == []


def test_a_figure_is_written_in_the_promised_shape(tmp_path: Path) -> None:
    written = json.loads(FIGURE.write(tmp_path).read_text(encoding="utf-8"))
    assert written.keys() >= PROMISED
    assert written["results"] == {"wholechart": 20.0, "a peer": 10.0}
    assert written["command"] == "wholechart bench convert"


@pytest.mark.parametrize("path", sorted(measuring.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_committed_figures_have_that_shape_and_someone_beside_us(path: Path) -> None:
    figure = json.loads(path.read_text(encoding="utf-8"))
    assert figure.keys() >= PROMISED
    assert figure["benchmark"] == path.stem
    assert path.stem in registry.BENCHMARKS
    assert "wholechart" in figure["results"]
    assert len(figure["results"]) > 1


def test_contenders_take_turns_and_what_they_make_ready_is_not_counted() -> None:
    seen: list[str] = []

    def contender(name: str) -> measuring.Contender:
        def work() -> int:
            seen.append(f"work {name}")
            return 1

        def make_ready() -> measuring.Work:
            seen.append(f"ready {name}")
            return work

        return make_ready

    rates = take_turns({"one": contender("one"), "two": contender("two")}, rounds=2)
    assert seen == ["ready one", "work one", "ready two", "work two"] * 2
    assert rates.wall.keys() == rates.cpu.keys() == {"one", "two"}


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.95)) == (51.0, 100.0, 7.0)


def test_numbered_messages_differ_in_their_control_id_alone() -> None:
    stream = numbered([b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|7|P|2.5\rPID|1\r"])
    first, second = next(stream), next(stream)
    assert first != second
    assert first.endswith(b"|P|2.5\rPID|1\r")
    assert first.replace(b"B0000000001", b"") == second.replace(b"B0000000002", b"")


def test_outside_a_checkout_one_line_says_where_benchmarks_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(verb, "_CHECKOUT", tmp_path)
    answer = CliRunner().invoke(verb.bench, [])
    assert isinstance(answer.exception, ConfigurationError)
    assert "checkout" in str(answer.exception)


def test_an_unknown_benchmark_is_refused_with_the_names_there_are() -> None:
    answer = CliRunner().invoke(verb.bench, ["nonsense"])
    assert isinstance(answer.exception, ConfigurationError)
    assert "mllp_ack" in str(answer.exception)


def test_the_verb_prints_and_writes_what_was_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(measuring, "LOCAL", tmp_path)
    monkeypatch.setattr(registry, "measure", lambda name, scale: FIGURE)
    answer = CliRunner().invoke(verb.bench, ["help", "--quick", "--json"], catch_exceptions=False)
    assert json.loads(answer.stdout) == {"convert": {"wholechart": 20.0, "a peer": 10.0}}
    assert [path.name for path in tmp_path.iterdir()] == ["convert.json"]
