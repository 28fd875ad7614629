"""The page of features says what the acceptance tests prove, no more and no less."""

from __future__ import annotations

from tests.acceptance.features import PAGE, features, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.acceptance.features`"


def test_every_capability_is_said_in_one_sentence_and_refuses_somebody() -> None:
    found = list(features())
    assert found
    for feature in found:
        assert feature.words.endswith("."), feature.file
        assert len(feature.proofs) >= 2, feature.file
