"""The releases of FHIR that senders speak: what they are called, and the versions by which content types name them."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from hub_core.errors import UnreadableError

Release: TypeAlias = Literal["STU3", "R4", "R4B", "R5"]

_VERSIONS: Final[dict[str, Release]] = {"3.0": "STU3", "4.0": "R4", "4.3": "R4B", "5.0": "R5"}


def release_of(content_type: str) -> Release | None:
    """Return the release that a content type names as its `fhirVersion` (R4 http.html), None if it names none.

    Raises:
        UnreadableError: if it names one that is not read.
    """
    version = _version(content_type)
    if version is None:
        return None
    if version not in _VERSIONS:
        text = f"a fhirVersion of {', '.join(_VERSIONS)} was expected"
        raise UnreadableError(text, location="Content-Type", code="not-supported")
    return _VERSIONS[version]


def is_ours(content_type: str) -> bool:
    """Return whether a content type, or one that is accepted, means R4: by its version, or as it names none."""
    version = _version(content_type)
    return version is None or _VERSIONS.get(version) == "R4"


def _version(content_type: str) -> str | None:
    for part in content_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "fhirversion":
            return ".".join(value.strip(' "').split(".")[:2])
    return None
