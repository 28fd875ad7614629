"""What the simulated laboratories find: known formulas, ranges of gender, drift, corrections that keep their flag."""

from datetime import date
from decimal import Decimal
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulation.care.calendar import DAYS
from pipelines.simulation.care.diseases import DISEASES, complaints, draw_diseases
from pipelines.simulation.care.laboratory import PANELS, TESTS, Body, Finding, corrected
from pipelines.simulation.people.lives import Life
from pipelines.simulation.tables import rows
from pipelines.simulation.world import Address, Demographics, Gender


def _life(gender: Gender, born: date) -> Life:
    home = Address("1 Elm Street", "Fairhaven", "MO", "63999")
    truth = Demographics("Miller", "Pat", "", "", gender, born, home, "", "", "", "", "", "en")
    return Life("P1", 1, 1, born, [(born.toordinal(), truth)])


def _body(gender: Gender, *diseases: str, seed: int = 1, born: date = date(1960, 1, 1)) -> Body:
    return Body(Random(seed), _life(gender, born), diseases)  # noqa: S311


def _value(body: Body, panel: str, test: str, day: int = 0) -> Decimal:
    found = next(each for each in body.examine(PANELS[panel], day) if each.test.key == test)
    assert isinstance(found.value, Decimal)
    return found.value


@pytest.mark.parametrize(
    ("gender", "creatinine", "expected"),
    [("female", 0.8, 83), ("male", 1.0, 85), ("male", 2.0, 37)],
)
def test_the_filtration_rate_is_that_of_the_published_equation(
    gender: Gender, creatinine: float, expected: int
) -> None:
    body = _body(gender, born=date(1963, 11, 1))
    assert round(body._filtration(creatinine, 0)) == pytest.approx(expected, abs=1)


def test_ldl_follows_from_the_other_lipids() -> None:
    found = {each.test.key: each.value for each in _body("female").examine(PANELS["lipids"], 10)}
    total, hdl, triglycerides = (Decimal(found[key]) for key in ("cholesterol", "hdl", "triglycerides"))
    assert abs(Decimal(found["ldl"]) - (total - hdl - triglycerides / 5)) <= 2


def test_a_failing_kidney_gets_worse_over_the_years() -> None:
    early = mean(_value(_body("male", "kidney-disease", seed=seed), "kidney", "creatinine") for seed in range(60))
    late = mean(
        _value(_body("male", "kidney-disease", seed=seed), "kidney", "creatinine", DAYS - 1) for seed in range(60)
    )
    healthy = mean(_value(_body("male", seed=seed), "kidney", "creatinine") for seed in range(60))
    assert healthy < early < late


def test_ranges_are_those_of_the_gender() -> None:
    genders: tuple[Gender, Gender] = ("female", "male")
    ranges = {
        gender: next(each for each in _body(gender).examine(PANELS["blood-count"], 0) if each.test.key == "hemoglobin")
        for gender in genders
    }
    assert ranges["female"].low == Decimal("12")
    assert ranges["male"].low == Decimal("13.2")


@given(st.integers(0, 10**6), st.decimals("3.0", "9.0", places=1))
def test_a_corrected_value_is_another_that_earns_the_same_flag(seed: int, value: Decimal) -> None:
    low, high = Decimal("3.5"), Decimal("5.1")
    flag = "L" if value < low else "H" if value > high else ""
    other = corrected(Random(seed), Finding(TESTS["potassium"], value, low, high, flag))  # type: ignore[arg-type]  # noqa: S311
    if other is not None:
        assert isinstance(other, Decimal)
        assert other != value
        assert flag == ("L" if other < low else "H" if other > high else "")
        assert other.as_tuple().exponent == -1


def test_tables_name_only_what_other_tables_know() -> None:
    assert all(row["test"] in TESTS and row["condition"] in DISEASES for row in rows("effects"))
    assert all(row["condition"] in DISEASES for row in rows("medications"))
    assert all(not row["test"] or row["test"] in PANELS for row in rows("complaints"))
    vaccines = {row["cvx"] for row in rows("vaccines")}
    assert all(row["cvx"] in vaccines for row in rows("child_schedule"))


def test_there_is_a_complaint_for_every_age_and_place() -> None:
    for age in range(100):
        assert all(complaints(place, age) for place in ("office", "emergency", "inpatient"))


def test_the_old_have_more_long_diseases_than_the_young() -> None:
    counts = {
        age: mean(len(list(draw_diseases(Random(seed), age))) for seed in range(200))  # noqa: S311
        for age in (5, 40, 75)
    }
    assert counts[5] < counts[40] < counts[75]
