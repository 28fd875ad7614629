"""JSON Patch: what each operation makes of a resource, what does not fit, and what is too much."""

from __future__ import annotations

import pytest

from hub_api.fhir.outcome import OutcomeError
from hub_api.fhir.patches.json_patch import MOST_OPERATIONS, patched, read_patch
from hub_core.errors import WholechartError
from hub_core.fhir.canonical import dumps, load_object

RESOURCE = (
    b'{"resourceType":"Patient","name":[{"family":"A"},{"family":"B"}],"active":true,"dose":1.10,"a/b":{"c~d":1}}'
)

MADE = (
    ('{"op":"add","path":"/gender","value":"female"}', '"gender":"female"'),
    ('{"op":"add","path":"/name/-","value":{"family":"C"}}', '[{"family":"A"},{"family":"B"},{"family":"C"}]'),
    ('{"op":"add","path":"/name/2","value":{"family":"C"}}', '[{"family":"A"},{"family":"B"},{"family":"C"}]'),
    ('{"op":"add","path":"/name/0","value":{"family":"C"}}', '[{"family":"C"},{"family":"A"},{"family":"B"}]'),
    ('{"op":"remove","path":"/name/0"}', '"name":[{"family":"B"}]'),
    ('{"op":"replace","path":"/name/1/family","value":"Z"}', '[{"family":"A"},{"family":"Z"}]'),
    ('{"op":"replace","path":"/dose","value":2.50}', '"dose":2.50'),
    ('{"op":"move","from":"/name/0","path":"/name/1"}', '[{"family":"B"},{"family":"A"}]'),
    ('{"op":"copy","from":"/name/0","path":"/name/-"}', '[{"family":"A"},{"family":"B"},{"family":"A"}]'),
    ('{"op":"replace","path":"/a~1b/c~0d","value":2}', '{"c~d":2}'),
    ('{"op":"test","path":"/dose","value":1.1}', '"dose":1.10'),
    ('{"op":"test","path":"/name/0","value":{"family":"A"}}', '"family":"A"'),
)
"""An operation, and what the resource holds then."""

UNFIT = (
    '{"op":"test","path":"/active","value":1}',
    '{"op":"test","path":"/dose","value":"1.10"}',
    '{"op":"remove","path":"/gender"}',
    '{"op":"replace","path":"/gender","value":"male"}',
    '{"op":"add","path":"/name/3","value":{}}',
    '{"op":"add","path":"/name/01","value":{}}',
    '{"op":"add","path":"/name/first","value":{}}',
    '{"op":"add","path":"/active/deep","value":{}}',
    '{"op":"remove","path":"/name/-"}',
    '{"op":"replace","path":"","value":[]}',
    '{"op":"remove","path":""}',
)
"""Operations that do not fit the resource."""

MALFORMED = (
    "{}",
    "[1]",
    '[{"op":"merge","path":"/a"}]',
    '[{"op":"add","path":"/a"}]',
    '[{"op":"add","path":"a","value":1}]',
    '[{"op":"add","path":"/a~2","value":1}]',
    '[{"op":"copy","path":"/a"}]',
    '[{"op":"move","from":"/name","path":"/name/0"}]',
)


@pytest.mark.parametrize(("operation", "held"), MADE)
def test_each_operation_makes_what_it_says(operation: str, held: str) -> None:
    found = patched(load_object(RESOURCE), read_patch(f"[{operation}]".encode()))
    assert held in dumps(found).decode()


@pytest.mark.parametrize("operation", UNFIT)
def test_what_does_not_fit_is_named(operation: str) -> None:
    with pytest.raises(OutcomeError) as refused:
        patched(load_object(RESOURCE), read_patch(f"[{operation}]".encode()))
    assert refused.value.status == 422


@pytest.mark.parametrize("patch", MALFORMED)
def test_what_is_no_patch_is_refused(patch: str) -> None:
    with pytest.raises(OutcomeError) as refused:
        read_patch(patch.encode())
    assert refused.value.status == 400


def test_a_patch_is_applied_again_as_it_was_read() -> None:
    operations = read_patch(b'[{"op":"add","path":"/n","value":{"x":1}},{"op":"replace","path":"/n/x","value":2}]')
    assert patched({}, operations) == patched({}, operations) == {"n": {"x": 2}}


def test_copies_of_copies_come_to_an_end() -> None:
    doubling = ",".join(f'{{"op":"copy","from":"","path":"/x{number}"}}' for number in range(60))
    with pytest.raises(OutcomeError, match="copies too much"):
        patched(load_object(RESOURCE), read_patch(f"[{doubling}]".encode()))
    deepening = ",".join(f'{{"op":"copy","from":"","path":"{"/x" * depth}"}}' for depth in range(1, 12))
    nested = ",".join(f'{{"op":"add","path":"{"/x" * depth}","value":{{}}}}' for depth in range(1, 200))
    for steps in (deepening, nested):
        with pytest.raises(WholechartError):
            patched({"y": "x" * 100_000}, read_patch(f"[{steps}]".encode()))
    many = ",".join(['{"op":"remove","path":"/x"}'] * (MOST_OPERATIONS + 1))
    with pytest.raises(OutcomeError, match="at most"):
        read_patch(f"[{many}]".encode())
