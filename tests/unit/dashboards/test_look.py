"""Colours hold their contrast on both backgrounds, charts are whole, and the server's flags protect patients."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboards import charts
from dashboards.server import APP, command
from hub_core.settings import Settings

THEMES = tomllib.loads((APP.parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_series_and_text_stand_out(theme: str) -> None:
    colours = THEMES[theme]
    for colour in [*colours["chartCategoricalColors"], *charts.FATES.values()]:
        assert contrast(colour, colours["backgroundColor"]) >= 3, colour
    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(colours["textColor"], colours[ground]) >= 7


def test_series_differ_within_a_theme() -> None:
    for theme in ("light", "dark"):
        assert len(set(THEMES[theme]["chartCategoricalColors"])) == 8


def test_charts_carry_every_number() -> None:
    frame = pd.DataFrame({"feed": ["a"], "processed": [5], "filtered": [1], "rejected": [2], "waiting": [0]})
    drawn: dict[str, Any] = charts.fates_by_feed(frame).to_dict()
    (rows,) = drawn["datasets"].values()
    assert {row["fate"]: row["records"] for row in rows} == {
        "Processed": 5,
        "Filtered": 1,
        "Rejected": 2,
        "Waiting": 0,
    }
    assert drawn["encoding"]["x"]["title"] == "Records"


def test_the_largest_part_lies_at_the_bottom_and_not_stated_on_top() -> None:
    day = pd.Timestamp("2026-01-08")
    frame = pd.DataFrame({"period": [day] * 3, "part": ["Not stated", "a'b", "c"], "encounters": [9, 1, 5]})
    drawn = charts.over_time(
        frame, unit="day", value="encounters", split="part", split_title="Class", last="Not stated"
    ).to_dict()
    assert drawn["encoding"]["color"]["sort"] == ["c", "a'b", "Not stated"]


def test_the_command_serves_this_app_and_nothing_more(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, host="127.0.0.1", dashboards_port=9321)
    flags = command(settings)
    assert str(APP) in flags
    for flag in (
        "--server.address=127.0.0.1",
        "--server.port=9321",
        "--server.enableXsrfProtection=true",
        "--server.enableCORS=true",
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        "--server.fileWatcherType=none",
    ):
        assert flag in flags


def test_what_the_pages_need_is_beside_them() -> None:
    for name in ("style.css", "mark.svg", "wordmark.svg", ".streamlit/config.toml"):
        assert (APP.parent / name).is_file()


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
