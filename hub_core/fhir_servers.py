"""FHIR servers that feeds fetch from: where they are, who we are there, and what is asked for."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

Query = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]{1,60}(\?[^\s#]{1,500})?$")]
"""A search as it stands behind the base address: `Patient`, `Observation?category=laboratory`."""


class RemoteServer(BaseModel):
    """A FHIR server that is asked for all it has, and from then on for what is new."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"https?://[^\s?#]+", description="Base address of the server.")
    since: AwareDatetime | None = Field(default=None, description="Where to begin, when not at the beginning.")
    every_hours: float = Field(default=24.0, ge=0.1, description="Hours from one time to the next.")
    client_id: str | None = Field(default=None, description="Who we are there (SMART backend services).")
    key: str | None = Field(default=None, pattern=r"[\w.-]{1,100}", description="Private key: a PEM file in `keys`.")
    key_id: str | None = Field(default=None, description="What the server knows the public key by (`kid`).")
    scope: str = Field(default="system/*.read", description="What is asked for with the token.")

    @model_validator(mode="after")
    def _knows_who_we_are(self) -> Self:
        if len({value is None for value in (self.client_id, self.key, self.key_id)}) > 1:
            raise ValueError("client_id, key and key_id come together")
        return self


class Export(RemoteServer):
    """A FHIR server that gives exports (Bulk Data Access 2.0)."""

    group: str | None = Field(
        default=None, pattern=r"[A-Za-z0-9.-]{1,64}", description="Its Group of our patients; unset, all patients."
    )
    types: tuple[str, ...] = Field(default=(), description="Resource types to ask for; none named, all it gives.")


class Search(RemoteServer):
    """A FHIR server that gives no exports, and is searched page by page (R4 section 3.1.1)."""

    queries: tuple[Query, ...] = Field(min_length=1, description="What is searched for, one query after the other.")
    page_size: int = Field(default=200, ge=1, le=10_000, description="Resources asked for at a time.")
    overlap_minutes: float = Field(
        default=5.0,
        ge=0,
        description="How far before the last time to begin: what was just being written.",
    )
    deletions: bool = Field(default=False, description="Whether histories are read for what was deleted.")
