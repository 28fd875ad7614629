"""Feeds: a flow of messages from one source, one reviewed file each (`feeds/<name>.yml`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hub_core.errors import ConfigurationError
from hub_core.fhir.releases import Release
from hub_core.fhir_servers import Export, RemoteServer, Search
from hub_core.sensitivity import Kind

OWN_SOURCE = "wholechart"
"""The source of what is born here: no feed may speak in its name."""

API_SOURCES = "api:"
"""What the sources of those begin with who write over the FHIR API: no feed may speak in the name of one."""

STAFF_SOURCE = f"{API_SOURCES}staff"
"""The source of what people of the house write there: one for all of them."""

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""What a feed may be called: it names folders and partitions."""


class Feed(BaseModel):
    """One feed: whose it is, how it comes, and what its clock and ids are scoped to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str = Field(min_length=1, description="The organisation's system; ids are scoped to it.")
    location: str | None = Field(default=None, description="The location that owns what arrives.")
    zone: str = Field(default="UTC", description="IANA zone of timestamps that name none.")
    format: Literal["hl7v2", "fhir", "x12"] | None = Field(
        default=None, description="Unset, each file is recognised by its content."
    )
    fhir_release: Release | None = Field(
        default=None, description="The release of FHIR it sends; unset, each resource shows it."
    )
    transport: Literal["mllp", "folder", "http", "bulk", "rest", "manual"] = "manual"
    port: int | None = Field(default=None, ge=0, le=65535, description="MLLP: the port listened on.")
    folder: str | None = Field(default=None, description="Folder: its name below `drop` in the data directory.")
    export: Export | None = Field(default=None, description="Bulk: the FHIR server whose exports are fetched.")
    search: Search | None = Field(default=None, description="REST: the FHIR server that is searched.")
    sensitivity: Kind | None = Field(
        default=None, description="How sensitive all that it sends of patients is: 42cfr2 for a Part 2 programme."
    )
    sensitive_codes: dict[Kind, tuple[str, ...]] = Field(
        default_factory=dict, description="Codes, as system|code, of what is sensitive among what it sends."
    )
    description: str = ""

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.transport == "bulk") != (self.export is not None):
            raise ValueError("transport bulk and export come together")
        if (self.transport == "rest") != (self.search is not None):
            raise ValueError("transport rest and search come together")
        return self

    def release(self, format_name: str) -> Release | None:
        """Return the release that messages of a format are said to be of, if the feed says it."""
        return self.fhir_release if format_name == "fhir" else None

    @property
    def server(self) -> RemoteServer | None:
        """Return the FHIR server that the feed fetches from, if it does."""
        return self.export or self.search

    @field_validator("name", "folder")
    @classmethod
    def _is_plain(cls, value: str | None) -> str | None:
        if value is not None and not NAME.fullmatch(value):
            raise ValueError("use lower-case letters, digits, - and _ only")
        return value

    @field_validator("source")
    @classmethod
    def _is_not_ours(cls, value: str) -> str:
        said = value.strip().casefold()
        if said == OWN_SOURCE or said.startswith(API_SOURCES):
            raise ValueError(f"{said} is the source of what is written here; name the system that sends")
        return value

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("not an IANA time zone such as America/Chicago") from error
        return value


def default_feed(name: str = "files") -> Feed:
    """Return the feed that files belong to when `ingest` is told no other."""
    return Feed(name=name, source=name)


def load_feed(path: Path) -> Feed:
    """Return the feed a file describes.

    Raises:
        ConfigurationError: naming the file and the field.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Feed(**{"name": path.stem, **content})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"feed file {path.name}: {field}: {first['msg']}") from error
    except (yaml.YAMLError, TypeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"feed file {path.name} is not a YAML mapping of feed settings") from error


def load_feeds(folder: Path) -> dict[str, Feed]:
    """Return the feeds of an installation by name; none where the folder does not exist.

    Raises:
        ConfigurationError: for the first file that is wrong, or a name used twice.
    """
    feeds: dict[str, Feed] = {}
    for path in sorted(folder.glob("*.yml")):
        feed = load_feed(path)
        if feed.name in feeds:
            raise ConfigurationError(f"feed file {path.name}: the name {feed.name} is used twice")
        feeds[feed.name] = feed
    return feeds
