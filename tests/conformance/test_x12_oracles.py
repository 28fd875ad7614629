"""oxedi and pyx12 read the same files: claims, amounts, adjustments and verdicts agree with ours."""

from __future__ import annotations

import logging
from collections import Counter
from decimal import Decimal
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from connectors.connector import Piece
from connectors.x12.adjudicated import claim_loops, read_adjudicated
from connectors.x12.connector import X12Connector
from connectors.x12.guide_835 import GUIDE_835
from connectors.x12.loops import read_loops
from connectors.x12.transaction import read_transaction
from tests.unit.connectors.x12.interchanges import cut

if TYPE_CHECKING:
    from pathlib import Path


def bodies(content: bytes) -> list[bytes]:
    return [each.body for each in cut(content, 1 << 26) if isinstance(each, Piece)]


def test_oxedi_reads_the_same_claims_and_adjustments(corpora: Path) -> None:
    oxedi = pytest.importorskip("oxedi")
    folder = corpora / "x12"
    files = [*(folder / "samples" / "835").glob("*.edi"), *(folder / "golden_835").glob("*.edi")]
    files += [*(folder / "samples" / "835").glob("*.835"), folder / "lifecycle" / "5_remit.835"]
    compared = 0
    for file in files:
        content = file.read_bytes()
        content = content[content.index(b"ISA*00" if b"ISA*00" in content else b"ISA") :]
        tables = oxedi.parse(content).tables
        claims = tables["claims"].to_pandas()
        theirs = Counter(
            (row.claim_id.decode(), row.claim_status.decode(), row.charge_amount, row.payment_amount)
            for row in claims.itertuples()
        )
        adjusted = sum(tables["adjustments"].to_pandas()["amount"], Decimal(0))
        roots = [read_loops(GUIDE_835, read_transaction(body).segments) for body in bodies(content)]
        ours = [read_adjudicated(loop) for root in roots for loop in claim_loops(root)]
        assert Counter((each.number, each.status, each.charge, each.paid) for each in ours) == theirs, file.name
        assert sum((each.adjusted() for each in ours), Decimal(0)) == adjusted, file.name
        compared += len(ours)
    assert compared > 50


def test_pyx12_finds_fault_where_the_check_does(corpora: Path) -> None:
    """On one fault a file; pyx12 does not look at balance, NPI check digits or IEA, so there the check says more."""
    pyx12 = pytest.importorskip("pyx12.x12n_document")
    params = pytest.importorskip("pyx12.params").params
    logging.getLogger("pyx12").setLevel(logging.CRITICAL)
    for file in sorted((corpora / "x12" / "malformed_837p").glob("*.edi")):
        is_valid = pyx12.x12n_document(params(), StringIO(file.read_text()), StringIO(), None, None)
        issues = [issue for body in bodies(file.read_bytes()) for issue in X12Connector().check(body)]
        if not is_valid:
            assert issues, file.name
        if not issues:
            assert is_valid, file.name
