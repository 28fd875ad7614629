"""Exports of a FHIR server reach the record: through failures and crashes, all of it once, and then what is new."""

from __future__ import annotations

import pytest

from hub_core.errors import ConfigurationError, PartnerError
from hub_core.feeds import Feed
from hub_core.fhir_servers import Export
from pipelines.installation import Installation
from pipelines.pull_state import Step
from pipelines.pulling import Fetching, Puller, folder_of, pull
from tests.integration.dying import die_at_every_second_note
from tests.unit.connectors.transport.export_server import TAKEN_AT, Exports, serving

PATIENTS = [b'{"resourceType":"Patient","id":"p%d"}\n' % number for number in range(6)]
OUTCOME = b'{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"informational"}]}\n'


def feed_of(exports: Exports, **export: object) -> Feed:
    return Feed(
        name="cardio",
        source="cardio",
        format="fhir",
        transport="bulk",
        export=Export(url=exports.base, **export),  # type: ignore[arg-type]
    )


def known(installation: Installation) -> int:
    """Apply what is stored, and return how many patients the record has."""
    for _ in installation.worker().drain():
        pass
    with installation.database.begin() as unit:
        query = "SELECT count(*) FROM resource WHERE resource_type = 'Patient' AND source = 'cardio' AND NOT deleted"
        return int(unit.driver.execute(query).fetchall()[0][0])


def test_all_is_fetched_once_and_then_what_is_new(installation: Installation) -> None:
    said: list[str] = []
    waited: list[float] = []
    with serving(Exports([b"".join(PATIENTS[:3]), b"".join(PATIENTS[3:]), OUTCOME], broken={1: 20})) as exports:
        exports.failures = [503]
        feed = feed_of(exports)
        done = pull(installation, feed, said.append, waited.append)
        assert (done.records, done.refused, done.state.since) == (7, 0, TAKEN_AT)
        assert any("503" in text for text in said)
        assert any("cannot be heard" in text for text in said)
        assert known(installation) == 6
        assert max(waited) <= 10
        pull(installation, feed, said.append, waited.append)
        orders = [asked for asked in exports.asked if "$export" in asked and "_since=" in asked]
    assert len(orders) == 1
    folder = folder_of(installation.settings, feed)
    assert {path.name for path in folder.iterdir()} == {"lock", "state.json"}


def test_a_crash_at_any_step_loses_and_doubles_nothing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_at_every_second_note(monkeypatch)
    with serving(Exports([*PATIENTS, OUTCOME])) as exports:
        feed = feed_of(exports)
        for _ in range(40):
            try:
                done: Step | None = pull(installation, feed, lambda _: None, lambda _: None)
                break
            except KeyboardInterrupt:
                done = None
    assert done is not None
    assert known(installation) == 6
    with installation.database.begin() as unit:
        assert unit.driver.execute("SELECT count(*), sum(records) FROM message").fetchall() == [(7, 7)]


def test_what_the_server_has_no_more_is_gone(installation: Installation) -> None:
    with serving(Exports([b"".join(PATIENTS), OUTCOME])) as exports:
        feed = feed_of(exports)
        pull(installation, feed, lambda _: None, lambda _: None)
        assert known(installation) == 6
        entry = '{"request":{"method":"DELETE","url":"Patient/p4"}}'
        exports.files = [OUTCOME]
        exports.deleted = [f'{{"resourceType":"Bundle","type":"transaction","entry":[{entry}]}}\n'.encode()]
        pull(installation, feed, lambda _: None, lambda _: None)
    assert known(installation) == 5


def test_an_export_that_is_lost_is_ordered_again(installation: Installation) -> None:
    with serving(Exports([PATIENTS[0], OUTCOME], waits=0)) as exports:
        feed = feed_of(exports)
        folder = folder_of(installation.settings, feed)
        folder.mkdir(parents=True)
        (folder / "export-1.ndjson").write_bytes(PATIENTS[5])  # left over from another one
        fetching = Fetching(installation, feed, folder)
        fetching.step()
        exports.failures = [404]
        assert fetching.step().state.status is None
        assert pull(installation, feed, lambda _: None, lambda _: None).records == 2
        assert known(installation) == 1


def test_a_server_that_stays_away_is_told_to_who_waits_and_kept_for_the_house(installation: Installation) -> None:
    with serving(Exports(failures=[500] * 9)) as exports:
        feed = feed_of(exports)
        with pytest.raises(PartnerError, match="500"):
            pull(installation, feed, lambda _: None, lambda _: None)
        looks = len(exports.asked)
        Puller(installation, [feed]).tick()  # not due yet
        assert len(exports.asked) == looks


def test_a_wrong_key_stops_no_other_feed(installation: Installation) -> None:
    with serving(Exports([OUTCOME])) as exports:
        wrong = feed_of(exports, client_id="wholechart", key="none.pem", key_id="k").model_copy(
            update={"name": "wrong"}
        )
        Puller(installation, [wrong, feed_of(exports)]).tick()
        assert len(exports.asked) == 1
        with pytest.raises(ConfigurationError, match="key"):
            pull(installation, wrong, lambda _: None, lambda _: None)
