"""What laboratories find: values around what is usual for a person, moved by diseases, drifting over the years."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Final, Literal

from pipelines.simulation.care.calendar import date_of
from pipelines.simulation.facts import fact
from pipelines.simulation.people.lives import Life
from pipelines.simulation.tables import rows
from pipelines.simulation.world import Code


@fact(frozen=True, slots=True)
class Test:
    """One quantity, or one question answered yes or no, that a laboratory reports."""

    __test__ = False

    key: str
    code: Code
    unit: str
    mean: float
    spread: float
    """Between persons."""
    noise: float
    """Between one day and another."""
    ranges: dict[str, tuple[Decimal | None, Decimal | None]]
    form: str
    """How a value is written, as a format specification."""

    @property
    def is_question(self) -> bool:
        """Tell whether the answer is a text."""
        return not self.unit


@fact(frozen=True, slots=True)
class Panel:
    """Tests that are ordered together."""

    key: str
    code: Code
    tests: tuple[Test, ...]


@fact(frozen=True, slots=True)
class Finding:
    """One value found, before it is part of a report."""

    test: Test
    value: Decimal | str
    low: Decimal | None
    high: Decimal | None
    flag: Literal["", "L", "H", "A"]


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _test(row: dict[str, str]) -> Test:
    return Test(
        row["key"],
        Code("LOINC", row["code"], row["label"]),
        row["unit"],
        float(row["mean"] or 0),
        float(row["spread"] or 0),
        float(row["noise"] or 0),
        {gender: (_decimal(row[f"low_{gender}"]), _decimal(row[f"high_{gender}"])) for gender in ("female", "male")},
        f".{row['decimals'] or 0}f",
    )


TESTS: Final = {row["key"]: _test(row) for row in rows("tests")}
PANELS: Final = {
    row["key"]: Panel(
        row["key"], Code("LOINC", row["code"], row["label"]), tuple(TESTS[key] for key in row["tests"].split())
    )
    for row in rows("panels")
}
_EFFECTS: Final[dict[str, list[tuple[str, float, float]]]] = {}
for _row in rows("effects"):
    _EFFECTS.setdefault(_row["condition"], []).append((_row["test"], float(_row["shift"]), float(_row["drift"])))
_CHILDREN_LOW = {"creatinine": 0.55, "hemoglobin": 0.92, "cholesterol": 0.85}
"""How far children are below adults."""
_LOWEST = {"creatinine": 0.2, "natriuretic": 5.0, "troponin": 2.0, "triglycerides": 30.0, "ejection-fraction": 12.0}


class Body:
    """What is usual for one person, and how their diseases move it."""

    def __init__(self, random: Random, life: Life, diseases: Iterable[str]) -> None:
        """Know a person's diseases; what is usual is drawn when first asked for."""
        self._random = random
        self._life = life
        self._gender = "female" if life.gender == "female" else "male"
        self._moved: dict[str, tuple[float, float]] = {}
        for disease in diseases:
            for test, shift, drift in _EFFECTS.get(disease, ()):
                before = self._moved.get(test, (0.0, 0.0))
                self._moved[test] = (before[0] + shift, before[1] + drift)
        self._usual: dict[str, float] = {}

    def examine(self, panel: Panel, day: int, *, is_ill: bool = False) -> list[Finding]:
        """Return what the tests of a panel find on a day; who is ill answers yes more often."""
        levels: dict[str, float] = {}
        findings = []
        for test in panel.tests:
            if test.is_question:
                findings.append(self._answer(test, is_ill))
                continue
            level = levels[test.key] = self._level(test, day, levels)
            findings.append(self._finding(test, level))
        return findings

    def _answer(self, test: Test, is_ill: bool) -> Finding:
        is_found = self._random.random() < (0.28 if is_ill else 0.05)
        yes, no = ("Detected", "Not detected") if test.key == "covid" else ("Positive", "Negative")
        return Finding(test, yes if is_found else no, None, None, "A" if is_found else "")

    def _level(self, test: Test, day: int, levels: dict[str, float]) -> float:
        """Return the true level of a quantity on a day; some follow from others of the same sample."""
        if test.key == "filtration":
            return self._filtration(levels["creatinine"], day)
        if test.key == "ldl":
            return max(levels["cholesterol"] - levels["hdl"] - levels["triglycerides"] / 5, 20)
        usual = self._usual.get(test.key)
        if usual is None:
            usual = self._usual[test.key] = self._draw_usual(test, day)
        if test.key == "hematocrit" and "hemoglobin" in levels:
            return levels["hemoglobin"] * 3 + self._random.gauss(0, 0.4)
        _, drift = self._moved.get(test.key, (0.0, 0.0))
        return max(usual + drift * day / 365 + self._random.gauss(0, test.noise), _LOWEST.get(test.key, 0.1))

    def _draw_usual(self, test: Test, day: int) -> float:
        mean = test.mean
        if self._gender == "male" and test.key in ("creatinine", "hemoglobin"):
            mean *= 1.12
        if self._life.age_on(date_of(day).toordinal()) < 14:
            mean *= _CHILDREN_LOW.get(test.key, 1)
        shift, _ = self._moved.get(test.key, (0.0, 0.0))
        return mean + self._random.gauss(0, test.spread) + shift * (0.5 + self._random.random())

    def _filtration(self, creatinine: float, day: int) -> float:
        """Return the filtration rate by CKD-EPI 2021 (Inker et al., NEJM 2021;385:1737)."""
        is_female = self._gender == "female"
        kappa, alpha = (0.7, -0.241) if is_female else (0.9, -0.302)
        ratio = creatinine / kappa
        age = max(self._life.age_on(date_of(day).toordinal()), 18)
        rate: float = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
        return rate * 1.012 if is_female else rate

    def _finding(self, test: Test, level: float) -> Finding:
        value = Decimal(format(level, test.form))
        low, high = test.ranges[self._gender]
        flag: Literal["", "L", "H"] = ""
        if low is not None and value < low:
            flag = "L"
        elif high is not None and value > high:
            flag = "H"
        return Finding(test, value, low, high, flag)


def corrected(random: Random, finding: Finding) -> Decimal | str | None:
    """Return another value that earns the same flag, as a laboratory would state it when it errs; None if none does."""
    if isinstance(finding.value, str):
        return None
    for _ in range(4):
        other = (finding.value * Decimal(random.randrange(88, 113)) / 100).quantize(finding.value)
        is_low = finding.low is not None and other < finding.low
        is_high = finding.high is not None and other > finding.high
        if other != finding.value and finding.flag == ("L" if is_low else "H" if is_high else ""):
            return other
    return None
