"""The loops of the eligibility answer (271, 005010X279 with A1): what opens them, how often, what they hold."""

from __future__ import annotations

from connectors.x12.loops import Guide

_ENTITIES = "13|1I|1P|2B|36|73|80|FA|GP|GW|I3|IL|LR|OC|P3|P4|P5|PR|PRP|SEP|TTP|VER|VN|VY|X3"

GUIDE_271 = Guide.read(f"""
ST      -                  ST                     !    BHT!
2000A   ST                 HL:20                  +    AAA:9
2100A   2000A              NM1:PR|2B|36|GP|P5     !    PER:3 AAA:9
2000B   2000A              HL:21                  *
2100B   2000B              NM1:1P|2B|36|80|FA|GP|P5|PR !    REF:9 N3? N4? AAA:9 PRV?
2000C   2000B              HL:22                  *    TRN:3
2100C   2000C              NM1:IL                 !    REF:9 N3? N4? AAA:9 PRV? DMG? INS? HI? DTP:9 MPI?
2000D   2000C              HL:23                  *    TRN:3
2100D   2000D              NM1:03                 !    REF:9 N3? N4? AAA:9 PRV? DMG? INS? HI? DTP:9 MPI?
2110    2100C|2100D        EB                     *    HSD:9 REF:9 DTP:20 AAA:9 MSG:10 LS?
2115    2110               III                    10   LS?
2120    2110|2115          NM1:{_ENTITIES}        23   N2? N3? N4? PER:3 PRV? LE?
""")
"""2110, 2115 and 2120 stand under the subscriber (C) and the dependent (D) alike."""
