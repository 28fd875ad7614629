"""Regular expressions of paths, by RE2: whatever the pattern and the text, matching takes linear time.

RE2 (in pyarrow) knows no look-around and no references back; a pattern that needs them is refused before any resource
is seen. It is imported on first use, for it takes half a second and few paths have patterns.
"""

from __future__ import annotations

import re

from hub_core.errors import PathError

_GROUP = re.compile(r"\$(\d)|\\")
_LONGEST = 2_000


def check(pattern: str, at: int) -> None:
    """Try a pattern.

    Raises:
        PathError: if it is none, or one that cannot be matched in linear time.
    """
    matches("", pattern, at)


def matches(text: str, pattern: str, at: int) -> bool:
    """Return whether a pattern is found in the text; a dot stands for line ends too (FHIRPath 2.0, 5.6.9).

    Raises:
        PathError: if it is not a pattern that RE2 knows.
    """
    from pyarrow import ArrowInvalid, compute, scalar

    if len(pattern) > _LONGEST:
        raise PathError("has a pattern that is too long", at)
    try:
        return bool(compute.match_substring_regex(scalar(text), pattern=f"(?s){pattern}").as_py())
    except ArrowInvalid as error:
        raise PathError("has a pattern that cannot be matched in linear time, or is none,", at) from error


def matches_full(text: str, pattern: str, at: int) -> bool:
    r"""Return whether a pattern is all of the text.

    Raises:
        PathError: if it is not a pattern that RE2 knows.
    """
    return matches(text, rf"\A(?:{pattern})\z", at)


def replaced(text: str, pattern: str, other: str, at: int) -> str:
    """Return the text with each match of a pattern replaced; `$1` in what replaces it is the first group's match.

    Raises:
        PathError: if it is not a pattern that RE2 knows, or a group is named that it does not have.
    """
    from pyarrow import ArrowInvalid, compute, scalar

    check(pattern, at)
    if not pattern:
        return text
    template = _GROUP.sub(lambda match: rf"\{match[1]}" if match[1] else r"\\", other)
    try:
        changed = compute.replace_substring_regex(scalar(text), pattern=f"(?s){pattern}", replacement=template)
    except ArrowInvalid as error:
        raise PathError("replaces a pattern by groups that it does not have", at) from error
    return str(changed.as_py())
