"""What registration desks get wrong: near enough to the truth to be a mistake, never the truth itself."""

from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulation.people.lives import TRAITS
from pipelines.simulation.people.mistakes import (
    misspell,
    misspell_number,
    mistake,
    swap_day_and_month,
    transpose_digits,
)
from pipelines.simulation.people.names import NICKNAMES, ORIGINS, family_name, given_name, twin_names
from pipelines.simulation.world import Address, Demographics

_RANDOM = st.integers(0, 2**32).map(Random)
_DAYS = st.dates(date(1930, 1, 1), date(2022, 12, 31))


def _distance(one: str, other: str) -> int:
    """Return the edit distance by Levenshtein."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        above, row[0] = row[0], at
        for column, another in enumerate(other, 1):
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, above + (letter != another))
    return row[-1]


@given(_RANDOM, st.sampled_from(["Lee", "Miller", "O'Brien", "Anna", "Katherine", "Van der Berg", "Aaa"]))
def test_a_misspelt_name_is_one_or_two_letters_away(random: Random, name: str) -> None:
    assert 1 <= _distance(name, misspell(random, name)) <= 2


@given(_RANDOM)
def test_a_misspelt_number_differs_by_one_digit_and_stays_unissued(random: Random) -> None:
    wrong = misspell_number(random, "912345678")
    assert sum(one != other for one, other in zip("912345678", wrong, strict=True)) == 1
    assert wrong.startswith("9")


@given(_DAYS)
def test_swapped_and_transposed_birth_dates_are_other_past_days(born: date) -> None:
    swapped = swap_day_and_month(born)
    if swapped is not None:
        assert swapped != born
        assert (swapped.month, swapped.day) == (born.day, born.month)
    transposed = transpose_digits(born)
    if transposed is not None:
        assert transposed != born
        assert transposed < date(2023, 1, 1)


def test_nobody_is_given_a_birth_date_in_the_future() -> None:
    assert swap_day_and_month(date(2026, 3, 8)) is None
    assert transpose_digits(date(2026, 3, 12)) is None


@given(_RANDOM)
def test_a_mistake_changes_what_is_true_and_has_a_known_name(random: Random) -> None:
    home = Address("1 Elm Street", "Fairhaven", "MO", "63999")
    truth = Demographics(
        "Miller", "Robert", "J", "Jr", "male", date(1960, 3, 4), home, "555-200-0001", "r@m.example", "912345678",
        "2106-3", "2186-5", "en",
    )  # fmt: skip
    found = mistake(random, truth, "987654321")
    if found is not None:
        trait, wrong = found
        assert trait in TRAITS
        assert all(getattr(truth, part) != value for part, value in wrong.items())


def test_there_is_a_name_for_everybody_ever_born() -> None:
    random = Random(1)  # noqa: S311
    for origin in ORIGINS:
        assert family_name(random, origin)
        for gender in ("female", "male"):
            assert all(given_name(random, origin, gender, year) for year in range(1925, 2027))
    assert len(set(twin_names(random, "female"))) == 2
    assert all(given != nickname for given, nickname in NICKNAMES.items())
