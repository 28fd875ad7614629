"""The loops of the professional claim (837P, 005010X222 with A1): what opens them, how often, what they hold."""

from __future__ import annotations

from connectors.x12.loops import Guide

GUIDE_837P = Guide.read("""
ST      -            ST        !   BHT!
1000A   ST           NM1:41    !   N2? PER+
1000B   ST           NM1:40    !   N2?
2000A   ST           HL:20     +   PRV? CUR?
2010AA  2000A        NM1:85    !   N2? N3! N4! REF+ PER:2
2010AB  2000A        NM1:87    ?   N3! N4!
2010AC  2000A        NM1:PE    ?   N3! N4! REF*
2000B   2000A        HL:22     +   SBR! PAT?
2010BA  2000B        NM1:IL    !   N2? N3? N4? DMG? REF* PER?
2010BB  2000B        NM1:PR    !   N2? N3? N4? REF*
2000C   2000B        HL:23     *   PAT!
2010CA  2000C        NM1:QC    !   N2? N3! N4! DMG! REF* PER?
2300    2000B|2000C  CLM       *   DTP* CL1? PWK:10 CN1? AMT* REF* K3:10 NTE? CR1? CR2? CRC* HI* HCP?
2310A   2300         NM1:DN|P3 2   N2? PRV? REF*
2310B   2300         NM1:82    ?   N2? PRV? REF*
2310C   2300         NM1:77    ?   N2? N3! N4! REF* PER?
2310D   2300         NM1:DQ    ?   N2? REF*
2310E   2300         NM1:PW    ?   N3! N4!
2310F   2300         NM1:45    ?   N3! N4!
2320    2300         SBR               10 CAS* AMT* DMG? OI! MOA?
2330A   2320         NM1:IL    !   N2? N3? N4? REF*
2330B   2320         NM1:PR    !   N2? N3? N4? DTP? REF*
2330C   2320         NM1:DN|P3 2   REF*
2330D   2320         NM1:82    ?   REF*
2330E   2320         NM1:77    ?   REF*
2330F   2320         NM1:DQ    ?   REF*
2330G   2320         NM1:85    ?   REF*
2400    2300         LX        +   SV1! SV5? PWK* CR1? CR3? CRC* DTP* QTY:2 MEA* CN1? REF* AMT* K3:10 NTE* PS1? HCP?
2410    2400         LIN       ?   CTP? REF*
2420A   2400         NM1:82    ?   N2? PRV? REF*
2420B   2400         NM1:QB    ?   REF*
2420C   2400         NM1:77    ?   N2? N3! N4! REF*
2420D   2400         NM1:DQ    ?   N2? REF*
2420E   2400         NM1:DK    ?   N2? N3? N4? REF* PER?
2420F   2400         NM1:DN|P3 2   N2? REF*
2420G   2400         NM1:PW    ?   N3! N4!
2420H   2400         NM1:45    ?   N3! N4!
2430    2400         SVD               15 CAS:5 DTP! AMT?
2440    2400         LQ        *   FRM*
""")
