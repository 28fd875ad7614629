"""Random questions about a population, with values that it has or nearly has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.integration.searching import population
from tests.integration.searching.brute_force import BASE, COMPOSITES, PARAMETERS, TARGETS

Asked: TypeAlias = list[tuple[str, str]]

PREFIXES = st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
KINDS = sorted(PARAMETERS)
_IDENTIFIED = {"identifier"}
_CONCEPTS = {"code", "category", "type", "value-concept", "component-code", "combo-code", "class", "_tag"}


def _escaped(text: str) -> str:
    for character in "\\,|$":
        text = text.replace(character, f"\\{character}")
    return text


def _from(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


CODES = _from(*map(_escaped, population.CODES), "9", "female", "final", "finished", "555", "true")
SYSTEMS = _from("http://loinc.org", "urn:b", "", "phone")
TOKENS = st.one_of(
    CODES,
    st.builds("{}|{}".format, SYSTEMS, CODES),
    _from("urn:b|", "http://loinc.org|"),
)
TEXTS = _from(*map(_escaped, population.FAMILIES), "nun", "NUÑ", "smit", "%", "_", "o'", "a", "z")
MEANT = _from("gluc", "Glucose", "GLÜCOSE IN", "blood", "%")
DATES = st.builds("{}{}".format, PREFIXES, _from(*population.DATES))
NUMBERS = st.builds("{}{}".format, PREFIXES, _from(*population.NUMBERS, "5.400", "1e2"))
UNITS = _from("", "", "||mg", "|http://unitsofmeasure.org|mg", "||gram", "|http://unitsofmeasure.org|g")
QUANTITIES = st.builds("{}{}".format, NUMBERS, UNITS)
ADDRESSES = _from(*population.ADDRESSES, "http://acme.org/", "http://acme.org/fhir/ValueSet/1/_history/2")


def asked_of(kind: str, ids: dict[str, list[str]], depth: int = 2) -> st.SearchStrategy[tuple[str, str]]:
    """Return a strategy for one parameter of a type, of what it refers to, or of what refers to it."""
    plain = st.sampled_from(sorted(PARAMETERS[kind])).flatmap(lambda name: _parameter(kind, name, ids))
    ways = [plain, plain, st.builds(lambda one: ("_id", one), st.sampled_from(ids[kind]))]
    if kind == "Observation":
        ways.append(st.sampled_from(sorted(COMPOSITES)).flatmap(_composite))
    if depth:
        ways += [way for make in (_chained, _having) for way in make(kind, ids, depth - 1)]
    return st.one_of(ways)


def _parameter(kind: str, name: str, ids: dict[str, list[str]]) -> st.SearchStrategy[tuple[str, str]]:
    compared = PARAMETERS[kind][name][0]
    values: dict[str, list[tuple[str, st.SearchStrategy[str]]]] = {
        "token": [("", TOKENS), ("", TOKENS), (":not", TOKENS)],
        "string": [("", TEXTS), (":exact", TEXTS), (":contains", TEXTS)],
        "date": [("", DATES)],
        "number": [("", NUMBERS)],
        "quantity": [("", QUANTITIES)],
        "uri": [("", ADDRESSES), (":below", ADDRESSES), (":above", ADDRESSES)],
        "canonical": [("", _from("http://acme.org/q", "http://acme.org/q|2", "http://acme.org/q|3"))],
        "reference": _references(name, ids) if compared == "reference" else [],
    }
    forms = [*values[compared], (":missing", _from("true", "false"))]
    if name in _CONCEPTS:
        forms.append((":text", MEANT))
    if name in _IDENTIFIED:
        forms.append((":of-type", st.builds("v2|{}|{}".format, _from("MR", "SS"), CODES)))
    return st.sampled_from(range(len(forms))).flatmap(
        lambda chosen: st.tuples(st.just(name + forms[chosen][0]), _alternatives(*forms[chosen]))
    )


def _alternatives(modifier: str, one: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return one if modifier == ":missing" else st.lists(one, min_size=1, max_size=2).map(",".join)


def _references(name: str, ids: dict[str, list[str]]) -> list[tuple[str, st.SearchStrategy[str]]]:
    target = TARGETS[name][0]
    one = st.sampled_from(ids[target])
    return [
        ("", one),
        ("", one.map(lambda found: f"{target}/{found}")),
        ("", one.map(lambda found: f"{BASE}/{target}/{found}")),
        ("", _from("http://else.org/x/1")),
        (f":{target}", one),
        (":identifier", _from("urn:b|1", "1", "|1")),
    ]


def _composite(name: str) -> st.SearchStrategy[tuple[str, str]]:
    strategies = [TOKENS if kind == "token" else QUANTITIES for kind in COMPOSITES[name][0]]
    return st.tuples(*strategies).map(lambda parts: (name, "$".join(parts)))


def _chained(kind: str, ids: dict[str, list[str]], depth: int) -> list[st.SearchStrategy[tuple[str, str]]]:
    found = []
    for name, (compared, _) in PARAMETERS[kind].items():
        for target in TARGETS[name] if compared == "reference" else ():
            inner = asked_of(target, ids, depth)
            found.append(inner.map(_prefixed(f"{name}:{target}.")))
    return found


def _having(kind: str, ids: dict[str, list[str]], depth: int) -> list[st.SearchStrategy[tuple[str, str]]]:
    found = []
    for source, parameters in PARAMETERS.items():
        for name, (compared, _) in parameters.items():
            if compared == "reference" and kind in TARGETS[name]:
                found.append(asked_of(source, ids, depth).map(_prefixed(f"_has:{source}:{name}:")))
    return found


def _prefixed(prefix: str) -> Callable[[tuple[str, str]], tuple[str, str]]:
    return lambda asked: (prefix + asked[0], asked[1])


def sorts(kind: str) -> st.SearchStrategy[str]:
    """Return a strategy for an order of a type."""
    names = [name for name, (compared, _) in PARAMETERS[kind].items() if compared not in ("reference", "canonical")]
    key = st.builds("{}{}".format, st.sampled_from(["", "-"]), st.sampled_from([*names, "_id"]))
    return st.lists(key, max_size=2, unique_by=lambda each: each.removeprefix("-")).map(",".join)


def questions(ids: dict[str, list[str]]) -> st.SearchStrategy[Any]:
    """Return a strategy for (type, what is asked, order, size of a page)."""
    known = {kind: asked_of(kind, ids) for kind in KINDS}
    return st.sampled_from([*KINDS, "Observation", "Observation", "Patient"]).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            st.lists(known[kind], min_size=0, max_size=2),
            sorts(kind),
            st.integers(min_value=1, max_value=30),
        )
    )


def questions_of_codes_and_values() -> st.SearchStrategy[Any]:
    """Return a strategy for questions about results by code and value, of one result or apart, in the same form."""
    code = _from(*map(_escaped, population.CODES))
    value = st.builds("{}{}".format, _from("gt", "lt", "ge", "le", "ne"), _from(*population.NUMBERS))
    coded = _from("code", "code", "code", "component-code", "combo-code", "code:not")
    valued = _from("value-quantity", "value-quantity", "component-value-quantity", "combo-value-quantity")
    codes, values = _alternatives("", st.one_of(code, code, TOKENS)), _alternatives("", value)
    apart = st.tuples(st.tuples(coded, codes), st.tuples(valued, values)).map(list)
    names = _from(*(name for name in sorted(COMPOSITES) if name.endswith("quantity")))
    together = st.builds(lambda name, *parts: [(name, "$".join(parts))], names, code, value)
    return st.tuples(st.just("Observation"), st.one_of(apart, together), st.just(""), st.integers(1, 4))
