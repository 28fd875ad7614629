"""Writes docs/features.md out of the acceptance tests: what Wholechart does is what they prove, in their own words.

Run it after an acceptance test was added or its docstring changed: `python -m tests.acceptance.features`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PAGE: Final = HERE.parents[1] / "docs" / "features.md"
_NAME: Final = re.compile(r"test_S([0-9]{2,3})_[a-z0-9_]+\.py")
_HEAD: Final = """# What Wholechart does

Each line is proven by an acceptance test: through HTTP, as somebody with an ordinary role at one location, down to the
rows, the FHIR resources and the audit trail, with a refusal for whoever may not. This page is written from those tests
by `python -m tests.acceptance.features`.
"""


@dataclass(frozen=True, slots=True)
class Feature:
    """One capability, and the test that proves it."""

    number: int
    file: str
    words: str
    proofs: tuple[str, ...]
    """What each of its tests shows."""


def features() -> Iterator[Feature]:
    """Yield the capabilities by number."""
    found = ((match, path) for path in HERE.glob("test_S*.py") if (match := _NAME.fullmatch(path.name)))
    for match, path in sorted(found, key=lambda each: (int(each[0][1]), each[1].name)):
        module = ast.parse(path.read_text(encoding="utf-8"))
        names = [each.name for each in module.body if isinstance(each, ast.FunctionDef) and _is_test(each.name)]
        words = " ".join((ast.get_docstring(module) or "").split("\n\n")[0].split())
        yield Feature(int(match[1]), path.name, words, tuple(name[5:].replace("_", " ") for name in names))


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(_section(each) for each in features())


def _section(feature: Feature) -> str:
    proofs = "".join(f"- {proof}\n" for proof in feature.proofs)
    link = f"[S{feature.number}](../tests/acceptance/{feature.file})"
    return f"\n**{link}** {feature.words}\n\n{proofs}"


def _is_test(name: str) -> bool:
    return name.startswith("test_")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
