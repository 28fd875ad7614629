"""The loops of the remittance advice (835, 005010X221 with A1): what opens them, how often, what they hold."""

from __future__ import annotations

from connectors.x12.loops import Guide

GUIDE_835 = Guide.read("""
ST      -        ST      !  BPR! TRN! CUR? REF* DTM?
1000A   ST       N1:PR   !  N3! N4! REF* PER+
1000B   ST       N1:PE   !  N3? N4? REF* RDM?
2000    ST       LX      *  TS3? TS2?
2100    2000|ST  CLP     *  CAS:99 NM1+ MIA? MOA? REF* DTM* PER* AMT* QTY*
2110    2100     SVC     *  DTM* CAS:99 REF* AMT* QTY* LQ:99
PLB     ST       PLB     *
""")
