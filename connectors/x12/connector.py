"""The X12 connector: interchanges are cut into transaction sets, and a set becomes facts, issues and rejects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import BinaryIO

from connectors.connector import Envelope, Issue, Origin, Outcome, Piece, Refusal
from connectors.x12.check import check_set
from connectors.x12.conversion import convert_set
from connectors.x12.cutting import cut
from connectors.x12.elements import moment
from connectors.x12.keys import KEYED, keys_of
from connectors.x12.sets import kind_of
from connectors.x12.tokenizer import tokenise
from connectors.x12.transaction import Transaction, read_transaction
from hub_core.errors import UnreadableError

UNREADABLE = "unreadable"


class X12Connector:
    """Reads HIPAA 005010 interchanges; 837P, 835 and 271 are mapped, other sets are stored and say so."""

    format = "x12"
    mapping_version = "x12-2"

    def recognises(self, head: bytes) -> bool:
        """Return whether `head` holds an interchange header that can be read, at its start or after other text."""
        return any(segment.name == "ISA" for segment in tokenise(BytesIO(head), limit=len(head)))

    def cut(self, stream: BinaryIO, *, limit: int) -> Iterator[Piece | Refusal]:
        """Yield the transaction sets of `stream` in order, each in its own envelope, of at most `limit` bytes."""
        return cut(stream, limit=limit)

    def envelope(self, body: bytes, origin: Origin) -> Envelope:
        """Return kind, control numbers (ISA13/GS06/ST02) and whom the set is about; never raises."""
        try:
            transaction = read_transaction(body, only=KEYED)
        except UnreadableError:
            return Envelope(UNREADABLE)
        sent_at = _sent_at(transaction, origin.zone)
        return Envelope(kind_of(transaction), transaction.control_id, keys_of(transaction), sent_at)

    def convert(self, body: bytes, origin: Origin) -> Iterator[Outcome]:
        """Yield the one outcome of the set in `body`; never raises for anything in it."""
        try:
            transaction = read_transaction(body)
        except UnreadableError as error:
            issue = Issue("error", error.code, error.text, error.location)
            yield Outcome(1, UNREADABLE, "rejected", issues=(issue,))
            return
        yield convert_set(transaction, origin)

    def check(self, body: bytes) -> Iterator[Issue]:
        """Yield every issue of the set in `body`, each with its place."""
        try:
            transaction = read_transaction(body)
        except UnreadableError as error:
            yield Issue("error", error.code, error.text, error.location)
            return
        yield from check_set(transaction)


def _sent_at(transaction: Transaction, zone: str) -> datetime | None:
    """Return when the group was written (GS04 and 05), else the interchange (ISA09 and 10: the year has two digits)."""
    group, interchange = transaction.group, transaction.interchange
    written = moment(group[4].strip(), group[5], zone) if group else None
    return written or moment(f"20{interchange[9].strip()}", interchange[10], zone)
