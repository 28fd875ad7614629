"""The settings of one installation, read from `WHOLECHART_*` environment variables and passed on explicitly."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


def default_data_dir() -> Path:
    """Return where an installation keeps its data unless told otherwise (XDG base directory)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "wholechart"


class Settings(BaseSettings):
    """One installation: where its data lives, where it listens, and its limits."""

    model_config = SettingsConfigDict(env_prefix="WHOLECHART_", frozen=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="Everything this installation keeps.")
    database_url: str | None = Field(
        default=None, description="PostgreSQL of a production installation; unset, an embedded one is run."
    )
    feeds_dir: Path | None = Field(default=None, description="Feed files; unset, `feeds` in the data directory.")
    host: str = Field(default="127.0.0.1", description="Address the API, the dashboards and the listeners bind to.")
    api_port: int = Field(default=8420, description="Port of the API and the log-in.")
    dashboards_port: int = Field(default=8421, description="Port of the dashboards.")
    dagster_port: int = Field(default=8422, description="Port of the Dagster pages.")
    public_url: str | None = Field(
        default=None, description="Address under which people reach the API, when a proxy stands before it."
    )
    max_record_bytes: int = Field(default=64 * MEBIBYTE, description="Largest message or resource taken, in bytes.")
    session_idle_minutes: int = Field(default=15, description="Minutes after which an unused log-in ends.")
    oidc_issuer: str | None = Field(
        default=None, description="OpenID provider at which staff may log in; unset, they log in with passwords only."
    )
    oidc_client_id: str | None = Field(default=None, description="Name of this installation at the OpenID provider.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Secret of this installation at the OpenID provider; unset, PKCE alone protects."
    )
    oidc_claim: Literal["sub", "email", "preferred_username"] = Field(
        default="sub", description="What names somebody in an ID token; `email` counts once the provider verified it."
    )
    oidc_acr: str | None = Field(
        default=None, description="Strength of log-in (`acr`) that the OpenID provider must vouch for, such as MFA's."
    )
    checkpoint_dir: Path | None = Field(
        default=None, description="Where checkpoints of the audit trail are kept, best on another machine's disk."
    )
    worker_batch: int = Field(default=400, description="Messages a worker applies in one transaction, at most.")
    announce_url: str | None = Field(
        default=None, description="Address of a partner who is told what happens here (HTTPS); unset, nobody is."
    )
    announce_token: SecretStr | None = Field(default=None, description="Bearer token for that address.")
    build_every_minutes: int = Field(default=10, description="How often `up` looks whether the warehouse is behind.")

    @property
    def feeds(self) -> Path:
        """Return the folder of feed files."""
        return self.feeds_dir or self.data_dir / "feeds"

    @property
    def lake_dir(self) -> Path:
        """Return the folder of the Parquet lake."""
        return self.data_dir / "lake"

    @property
    def warehouse_dir(self) -> Path:
        """Return the folder of published warehouse snapshots."""
        return self.data_dir / "warehouse"

    @property
    def drop_dir(self) -> Path:
        """Return the folder below which feeds with transport `folder` are dropped."""
        return self.data_dir / "drop"

    @property
    def blob_dir(self) -> Path:
        """Return the folder of message bodies too large for the database."""
        return self.data_dir / "blobs"

    @property
    def keys_dir(self) -> Path:
        """Return the folder of encryption keys; readable by its owner only."""
        return self.data_dir / "keys"

    @property
    def log_dir(self) -> Path:
        """Return the folder of log files."""
        return self.data_dir / "logs"

    @property
    def api_url(self) -> str:
        """Return the address of the API as people reach it."""
        return self.public_url or f"http://{self.host}:{self.api_port}"

    @property
    def dashboards_url(self) -> str:
        """Return the address of the dashboards."""
        return f"http://{self.host}:{self.dashboards_port}"
