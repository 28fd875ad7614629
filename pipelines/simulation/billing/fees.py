"""What each service costs, and what each payer allows for it: tables of our own, in cents, by codes without text."""

from __future__ import annotations

from pipelines.simulation.world import Code

FEES: dict[str, int] = {
    # office visits, new and established; telephone and online
    "99202": 13850, "99203": 19725, "99204": 29140, "99205": 38465,
    "99211": 4215, "99212": 9480, "99213": 15635, "99214": 22190, "99215": 30875,
    # preventive visits by age, new and established; wellness visits of Medicare
    "99381": 18960, "99382": 19775, "99383": 20540, "99384": 23215, "99385": 22530, "99386": 26105, "99387": 28340,
    "99391": 17045, "99392": 18190, "99393": 18125, "99394": 19880, "99395": 20315, "99396": 21660, "99397": 23295,
    "G0438": 24815, "G0439": 19990,
    # what is done in the office
    "36415": 1575, "81002": 985, "82962": 1140, "83036": 2760, "85018": 1235, "87804": 4460, "87880": 4375,
    "92551": 2645, "93000": 4895, "94010": 7130, "94640": 4520, "96110": 2985, "96127": 1360, "99173": 1085,
    "99188": 3340, "G0444": 2795, "17110": 17425, "69210": 9915, "12001": 18780, "J0696": 3270, "96372": 3905,
    # giving vaccines, and the vaccines
    "90460": 4180, "90461": 2095, "90471": 4035, "90472": 2240,
    "90633": 5640, "90647": 4895, "90651": 31275, "90670": 27830, "90677": 29415, "90680": 12985, "90686": 3455,
    "90696": 8745, "90700": 4520, "90707": 10860, "90710": 28995, "90713": 5170, "90714": 4790, "90715": 6825,
    "90716": 18235, "90723": 11460, "90732": 14790, "90734": 18640, "90744": 3915, "90746": 9170, "90750": 21480,
    "91318": 9835, "91320": 18120, "90656": 3390, "90662": 9245, "90681": 16240, "90698": 13270, "90620": 22715,
    "90678": 33480, "90679": 32790, "90619": 18975, "90621": 21860, "90648": 4735, "91319": 11740, "91322": 17905,
}  # fmt: skip
"""Fee of a unit, by CPT or HCPCS code."""

VACCINE_CODES: dict[str, str] = {
    "03": "90707", "08": "90744", "10": "90713", "20": "90700", "21": "90716", "33": "90732", "43": "90746",
    "48": "90648", "49": "90647", "83": "90633", "94": "90710", "106": "90700", "110": "90723", "113": "90714",
    "114": "90734", "115": "90715", "116": "90680", "119": "90681", "120": "90698", "130": "90696", "133": "90670",
    "135": "90662", "136": "90734", "139": "90714", "140": "90656", "141": "90686", "150": "90686", "158": "90686",
    "162": "90621", "163": "90620", "165": "90651", "187": "90750", "197": "90662", "203": "90619", "216": "90677",
    "303": "90679", "305": "90678", "308": "91318", "309": "91320", "310": "91319", "312": "91322",
}  # fmt: skip
"""CVX to the CPT code of the product."""

_ALLOWED_PERCENT: dict[str, int] = {
    "prairie": 74, "bluestem": 81, "heartland": 68, "cornerstone": 86, "showme-medicaid": 47, "medicare": 58,
}  # fmt: skip

SERVICES: dict[str, Code] = {code: Code("HCPCS" if code[0].isalpha() else "CPT", code) for code in FEES}


def _allowed(percent: int, code: str, fee: int) -> int:
    """Return what a payer allows: its share of the fee, a little more or less by code, never more than the fee."""
    return fee * (percent + int(code[-2:]) % 9) // 100


ALLOWED: dict[str, dict[str, int]] = {
    payer: {code: _allowed(percent, code, fee) for code, fee in FEES.items()}
    for payer, percent in _ALLOWED_PERCENT.items()
}
"""What a payer allows for a unit, by payer and code."""

COPAYS: dict[str, int] = {"prairie": 2500, "bluestem": 3000, "heartland": 2000, "cornerstone": 3500}
"""What a visit costs the patient, by payer; the others ask for none."""

FREE: frozenset[str] = frozenset(
    code for code in FEES if code.startswith(("9938", "9939", "G043", "904", "906", "907", "913"))
)
"""Preventive visits and vaccines: nothing of them is the patient's."""

VISITS: frozenset[str] = frozenset(code for code in FEES if code.startswith(("9920", "9921")))
"""Visits that a copay is asked for."""
