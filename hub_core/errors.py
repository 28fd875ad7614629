"""Every error Wholechart raises, as one tree; each carries one line a person can act on.

* WholechartError
  + ConfigurationError       a setting, feed file or data directory is wrong
  + DatabaseUnavailableError PostgreSQL cannot be started or reached
  + UnreadableError          bytes from outside are not what they claim to be
    - TooLargeError          a record is over the configured limit
  + PathError                a FHIRPath expression cannot be read, or means nothing for what it is asked of
  + NotFoundError            no such resource, message, mart or key
  + AccessDeniedError        the principal may not do this
  + ConflictError            the act contradicts what is stored
  + PartnerError             another system did not answer, or not as its standard says
  + DamagedError             what is stored is not what was stored
  + BuildError               a stage of the warehouse build failed or was refused by the quality gate

Messages never contain patients' data: they name places (segment, line, path), not values.
"""


class WholechartError(Exception):
    """Base of all errors raised on purpose; its text is safe to show and to log."""


class ConfigurationError(WholechartError):
    """A setting, a feed file or the data directory is wrong."""


class DatabaseUnavailableError(WholechartError):
    """PostgreSQL could not be started or reached."""


class UnreadableError(WholechartError):
    """Bytes from outside are not what they claim to be.

    Args:
        text: what is wrong, in words a sender understands.
        location: where, in the notation of the format (`MSH-9`, `line 3`, `ISA16`).
        code: FHIR issue type (http://hl7.org/fhir/issue-type).
    """

    def __init__(self, text: str, *, location: str = "", code: str = "structure") -> None:
        super().__init__(f"{location}: {text}" if location else text)
        self.text = text
        self.location = location
        self.code = code


class TooLargeError(UnreadableError):
    """A record is larger than the configured limit."""

    def __init__(self, size: int, limit: int, *, location: str = "") -> None:
        super().__init__(
            f"the record has at least {size:,} bytes; the limit is {limit:,} (WHOLECHART_MAX_RECORD_BYTES)",
            location=location,
            code="too-long",
        )


class PathError(WholechartError):
    """A FHIRPath expression cannot be read, or means nothing for what it is asked of.

    Args:
        reason: what is wrong with it, to be read behind the words "the path ...".
        at: where in its text, counted from zero.
    """

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(f"{reason} at character {at + 1}")
        self.reason = reason
        self.at = at


class NotFoundError(WholechartError):
    """No such resource, message, mart or key."""


class AccessDeniedError(WholechartError):
    """The principal may not do this."""


class ConflictError(WholechartError):
    """The act contradicts what is stored."""


class PartnerError(WholechartError):
    """Another system did not answer, or not as its standard says.

    Args:
        text: what it did, without anything it said of patients.
        retry_after: seconds it asked to be left in peace; None if it asked for nothing.
        is_final: whether asking the same again is of no use.
    """

    def __init__(self, text: str, *, retry_after: float | None = None, is_final: bool = False) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.is_final = is_final


class DamagedError(WholechartError):
    """What is stored is not what was stored; a backup has it."""


class BuildError(WholechartError):
    """A stage of the warehouse build failed, or the quality gate refused to publish."""
