"""The docs are a contract: every verb, setting, feed field, decision and link in them is checked against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub_core.feeds import Feed, load_feeds
from hub_core.settings import Settings
from pipelines.cli import VERBS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "pipelines" / "samples").glob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def rows(page: str, first_cell: str) -> set[str]:
    """Return what stands in the first cells of a page's tables where it matches."""
    return set(re.findall(rf"^\| `({first_cell})[^|]*\|", page, re.MULTILINE))


def test_every_setting_is_documented_and_no_other() -> None:
    fields = {f"WHOLECHART_{name.upper()}" for name in Settings.model_fields}
    assert rows(OPERATIONS, "WHOLECHART_[A-Z_]+") == fields


@pytest.mark.parametrize(
    "name",
    sorted(name for name, each in Settings.model_fields.items() if not (each.default_factory or each.default is None)),
)
def test_documented_defaults_are_the_real_ones(name: str) -> None:
    assert f"| `WHOLECHART_{name.upper()}` | `{Settings.model_fields[name].default}` |" in OPERATIONS


def test_every_field_of_a_feed_file_is_documented() -> None:
    section = OPERATIONS.partition("## Feeds")[2].partition("\n## ")[0]
    assert rows(section, "[a-z_]+") == set(Feed.model_fields)


def test_every_verb_is_in_the_readme_and_no_other() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The command")[2].partition("\n## ")[0]
    assert rows(section, "[a-z]+") == set(VERBS)


def test_decisions_are_numbered_listed_and_complete() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for path in DECISIONS:
        text = path.read_text(encoding="utf-8")
        assert path.name in index
        assert re.findall(r"^## (.+)", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_the_sample_feeds_are_read_and_each_sends_something() -> None:
    samples = ROOT / "pipelines" / "samples"
    feeds = load_feeds(samples / "feeds")
    assert set(feeds) == {path.name for path in samples.iterdir() if path.is_dir()} - {"feeds"}
    assert all(any((samples / name).iterdir()) for name in feeds)
