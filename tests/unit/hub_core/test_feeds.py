"""Feed files: what they say, and a clear line for what is wrong in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_core.errors import ConfigurationError
from hub_core.feeds import default_feed, load_feeds


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def test_a_feed_is_named_by_its_file(tmp_path: Path) -> None:
    write(tmp_path, "family-adt", "source: old-ehr\nzone: America/Chicago\ntransport: mllp\nport: 2575\n")
    feed = load_feeds(tmp_path)["family-adt"]
    assert (feed.source, feed.zone, feed.transport, feed.port) == ("old-ehr", "America/Chicago", "mllp", 2575)


def test_no_folder_is_no_feeds(tmp_path: Path) -> None:
    assert load_feeds(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format: hl7v2", "source"),
        ("source: x\nzone: Mars/Olympus", "zone"),
        ("source: x\nformat: dicom", "format"),
        ("source: x\nfolder: ../../etc", "folder"),
        ("source: x\nport: 70000", "port"),
        ("source: x\ntypo: y", "typo"),
        ("- just\n- a list", "YAML mapping"),
        ("source: [", "YAML mapping"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, "bad", text)
    with pytest.raises(ConfigurationError, match=r"bad\.yml") as error:
        load_feeds(tmp_path)
    assert said in str(error.value)


def test_one_name_is_one_feed(tmp_path: Path) -> None:
    write(tmp_path, "a", "source: x")
    write(tmp_path, "b", "name: a\nsource: y")
    with pytest.raises(ConfigurationError, match="used twice"):
        load_feeds(tmp_path)


def test_files_of_no_feed_have_a_source_of_their_own() -> None:
    assert default_feed().source == "files"


@pytest.mark.parametrize("source", ["wholechart", "Wholechart "])
def test_no_feed_speaks_in_our_name(tmp_path: Path, source: str) -> None:
    (tmp_path / "other.yml").write_text(f"source: {source!r}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="source"):
        load_feeds(tmp_path)
