"""The envelope of a stored transaction set: whether the trailers agree with the headers."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.connector import Issue
from connectors.x12.transaction import Segment, Transaction


def is_cut_short(transaction: Transaction) -> bool:
    """Return whether the set has no SE, so that nobody knows what is missing from it."""
    return transaction.trailer is None


def envelope_issues(transaction: Transaction) -> Iterator[Issue]:
    """Yield what is wrong with the envelope, from the inside out (X12.5, SNIP type 1).

    Trailers that are absent are reported where the stream is cut: only there it is seen whether they never came.
    """
    if transaction.header:
        yield from _set_issues(transaction, transaction.header)
    if transaction.group and transaction.group_trailer:
        yield from _control(transaction.group[6], transaction.group_trailer, "GE02", "GS06")
    if transaction.interchange_trailer:
        yield from _control(transaction.interchange[13], transaction.interchange_trailer, "IEA02", "ISA13")


def _set_issues(transaction: Transaction, header: Segment) -> Iterator[Issue]:
    if transaction.group is None:
        yield Issue("error", "structure", "SNIP 1: the set stands outside a functional group", "ST")
    trailer = transaction.trailer
    if trailer is None:
        text = "SNIP 1: the set ends without SE: it was cut short and is not mapped; ask for it again"
        yield Issue("error", "incomplete", text, f"ST, after segment {len(transaction.segments)}")
        return
    count = trailer[1].strip()
    if not (count.isascii() and count.isdigit() and int(count[:10]) == len(transaction.segments)):
        text = f"SNIP 1: the trailer counts other segments than the {len(transaction.segments)} found"
        yield Issue("error", "value", text, "SE01")
    yield from _control(header[2], trailer, "SE02", "ST02")


def _control(stated: str, trailer: Segment, place: str, header_place: str) -> Iterator[Issue]:
    if trailer[2].strip() != stated.strip():
        yield Issue("error", "value", f"SNIP 1: the control number is not the one in {header_place}", place)
