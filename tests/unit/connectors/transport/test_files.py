"""Every file people point at is read, or refused with a reason a person understands; nothing is opened that bites."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import pytest

from connectors.transport.files import FileRefusal, FoundFile, look, open_stream, walk
from connectors.transport.opening import Expansion
from hub_core.errors import UnreadableError

PATIENT = b'{"resourceType":"Patient","id":"p1"}'
ADT = b"MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5\r"


def refusals(*paths: Path, expansion: Expansion | None = None) -> dict[str, tuple[str, bool]]:
    found = walk(paths, expansion=expansion or Expansion())
    return {each.input: (each.reason, each.is_skipped) for each in found if isinstance(each, FileRefusal)}


def readable(*paths: Path) -> dict[str, tuple[str, bytes]]:
    contents = {}
    for found in walk(paths):
        if isinstance(found, FoundFile):
            with open_stream(found) as stream:
                contents[found.input] = (found.connector.format, stream.read())
    return contents


def test_files_of_a_folder_are_found_in_order_with_their_formats(tmp_path: Path) -> None:
    folder = tmp_path / "feed"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "two.hl7").write_bytes(ADT)
    (folder / "a.json").write_bytes(PATIENT)
    (folder / "c.json.gz").write_bytes(gzip.compress(PATIENT))
    (folder / "gzip by content.ndjson").write_bytes(gzip.compress(PATIENT))
    assert list(readable(folder).items()) == [
        ("feed/a.json", ("fhir", PATIENT)),
        ("feed/b/two.hl7", ("hl7v2", ADT)),
        ("feed/c.json.gz", ("fhir", PATIENT)),
        ("feed/gzip by content.ndjson", ("fhir", PATIENT)),
    ]


def test_content_decides_the_format_whatever_the_name(tmp_path: Path) -> None:
    (tmp_path / "export.txt").write_bytes(ADT)
    (tmp_path / "message.hl7").write_bytes(PATIENT)
    formats = [found_format for found_format, _ in readable(tmp_path).values()]
    assert formats == ["hl7v2", "fhir"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused_rather_than_one_lost(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("p.json", PATIENT)
        archive.writestr("p.json", ADT)
    assert "two files of one name" in refusals(tmp_path / "twice.zip")["twice.zip"][0]


def test_members_of_a_zip_archive_are_files_of_their_own(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("x/one.json", PATIENT)
        archive.writestr("two.hl7.gz", gzip.compress(ADT))
        archive.writestr("README.md", "# what this is")
        archive.writestr("../../evil.json", "nothing")
    assert readable(tmp_path / "all.zip") == {
        "all.zip!x/one.json": ("fhir", PATIENT),
        "all.zip!two.hl7.gz": ("hl7v2", ADT),
    }
    assert set(refusals(tmp_path / "all.zip")) == {"all.zip!README.md", "all.zip!../../evil.json"}
    assert not (tmp_path.parent.parent / "evil.json").exists()


def test_a_file_that_claims_to_be_data_is_rejected_and_another_one_skipped(tmp_path: Path) -> None:
    for name in ("README.md", "list.tsv", "picture.png", "claim.835", "old.hl7.gz", "note.XML"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n\0" if name == "picture.png" else b"something else")
    skipped = {name.rpartition("/")[2]: is_skipped for name, (_, is_skipped) in refusals(tmp_path).items()}
    assert skipped == {
        "README.md": True,
        "list.tsv": True,
        "picture.png": True,
        "claim.835": False,
        "old.hl7.gz": False,
        "note.XML": False,
    }
    assert refusals(tmp_path / "README.md")["README.md"][1] is False


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n ", "blanks"),
        (PATIENT.decode().encode("utf-16"), "UTF-16"),
        (PATIENT.decode().encode("utf-16-le"), "UTF-16"),
        (b"\x00\x01\x02\x03", "binary"),
        (b"%PDF-1.7", "binary"),
        (b"PK\x03\x04", "archive"),
        (b"Dear Sir or Madam", "hl7v2, x12, fhir"),
        (b"\x1f\x8b\x08\x00broken", "damaged"),
        (gzip.compress(PATIENT, mtime=0)[:-12], "damaged"),
    ],
)
def test_a_named_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "file.json").write_bytes(content)
    ((reason, is_skipped),) = refusals(tmp_path / "file.json").values()
    assert words in reason
    assert "\n" not in reason
    assert not is_skipped


def test_what_is_not_there_or_not_a_file_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert "no such file" in refusals(tmp_path / "nothing.json")["nothing.json"][0]
    assert "not a regular file" in refusals(tmp_path / "pipe.json")["pipe.json"][0]
    assert "not a regular file" in refusals(tmp_path)[f"{tmp_path.name}/pipe.json"][0]
    assert "not a regular file" in refusals(Path("/dev/zero"))["zero"][0]


def test_links_that_lead_out_are_refused_and_links_inside_are_read_once(tmp_path: Path) -> None:
    folder = tmp_path / "feed"
    folder.mkdir()
    (tmp_path / "outside.json").write_bytes(PATIENT)
    (folder / "inside.json").write_bytes(PATIENT)
    (folder / "out.json").symlink_to(tmp_path / "outside.json")
    (folder / "twin.json").symlink_to(folder / "inside.json")
    (folder / "loop").symlink_to(folder)
    (folder / "up").symlink_to(tmp_path)
    assert list(readable(folder)) == ["feed/inside.json"]
    assert {name: is_skipped for name, (_, is_skipped) in refusals(folder).items()} == {
        "feed/loop": True,
        "feed/out.json": False,
        "feed/twin.json": True,
        "feed/up": False,
    }
    assert list(readable(folder / "out.json")) == ["out.json"], "a link that a person names is followed"


def test_a_file_swapped_for_a_link_after_it_was_found_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "feed"
    folder.mkdir()
    (tmp_path / "outside.json").write_bytes(PATIENT)
    (folder / "a.json").write_bytes(PATIENT)
    (found,) = walk([folder])
    assert isinstance(found, FoundFile)
    (folder / "a.json").unlink()
    (folder / "a.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(UnreadableError), open_stream(found):
        pass


def test_hidden_and_unfinished_files_are_left_alone(tmp_path: Path) -> None:
    for name in (".hidden.json", "a.json.part", "b.json.TMP"):
        (tmp_path / name).write_bytes(PATIENT)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "c.json").write_bytes(PATIENT)
    assert list(walk([tmp_path])) == []


def test_a_gzip_bomb_stops_while_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(PATIENT + b"\n" + b" " * (2 << 20)))
    expansion = Expansion(free_bytes=1 << 20, ratio=100)
    (found,) = walk([tmp_path], expansion=expansion)
    assert isinstance(found, FoundFile)
    got: list[bytes] = []
    with open_stream(found, expansion=expansion) as stream, pytest.raises(UnreadableError, match="beyond reason"):
        got.extend(iter(lambda: stream.read(1 << 16), b""))
    assert 0 < sum(map(len, got)) <= 1 << 20


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.json", b"{" + b" " * (1 << 20))
    reason, _ = refusals(tmp_path, expansion=Expansion(free_bytes=2 << 20, ratio=100))[f"{tmp_path.name}/bomb.zip"]
    assert "beyond reason" in reason
    many = refusals(tmp_path, expansion=Expansion(members=3))[f"{tmp_path.name}/bomb.zip"]
    assert "more than 3 files" in many[0]


def test_a_damaged_archive_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    (tmp_path / "office.docx").write_bytes(b"PK\x03\x04 and then nothing")
    found = refusals(tmp_path)
    assert found[f"{tmp_path.name}/broken.zip"][1] is False
    assert found[f"{tmp_path.name}/office.docx"][1] is True


def test_data_cut_short_after_its_head_raises_when_read(tmp_path: Path) -> None:
    lines = os.urandom(1 << 16).hex().encode()
    (tmp_path / "short.ndjson.gz").write_bytes(gzip.compress(PATIENT + b"\n" + lines, mtime=0)[:-1000])
    (found,) = walk([tmp_path])
    assert isinstance(found, FoundFile)
    with open_stream(found) as stream, pytest.raises(UnreadableError, match="damaged"):
        stream.read()


def test_names_of_files_are_fit_for_a_line_of_text(tmp_path: Path) -> None:
    (tmp_path / "a\nb\x1b[31m.json").write_bytes(b"")
    (name,) = refusals(tmp_path)
    assert name == f"{tmp_path.name}/a?b?[31m.json"


def test_a_link_to_an_archive_is_followed_only_when_a_person_names_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("one.json", PATIENT)
    (tmp_path / "link.zip").symlink_to(tmp_path / "all.zip")
    assert list(readable(tmp_path / "link.zip")) == ["link.zip!one.json"]
    (refusal,) = look(tmp_path / "link.zip", "link.zip")
    assert isinstance(refusal, FileRefusal)
