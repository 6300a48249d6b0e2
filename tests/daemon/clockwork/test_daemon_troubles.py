"""What goes wrong around a daemon: second daemons, bad files, dead feeds and channels, a clock that jumps."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.jobs.once_more import RECENT
from daemon.store.keys import Keyring
from tests.daemon.clockwork.running import (
    OFFICE_MAIL,
    OFFICE_PHONE,
    PATIENCE,
    TOWN_PHONE,
    Daemon,
    Place,
    folders,
    now,
    until,
)
from tests.phones import HOST, SmsGateway, SmtpSink

OPERATOR_PHONE = "+8613800000009"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with SmsGateway() as opened:
        yield opened


@pytest.fixture
def hanging() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server((HOST, 0)) as server:
        yield f"http://{HOST}:{server.getsockname()[1]}/"


def test_a_second_daemon_on_one_store_ends_so_that_it_is_started_again(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    with Daemon(place).serves(), Daemon(place) as second:
        assert second.ends() == 1
        assert second.raw == [f"{place.config} service.database  baoxue.db is in use by another daemon\n"]


def test_a_taken_port_ends_so_that_it_is_started_again(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    with socket.create_server((HOST, 0)) as taken:
        text = place.config.read_text(encoding="utf-8")
        place.config.write_text(text.replace("127.0.0.1:0", f"127.0.0.1:{taken.getsockname()[1]}"), encoding="utf-8")
        with Daemon(place) as daemon:
            assert daemon.ends() == 1
    assert "console.listen  cannot be listened on" in "".join(daemon.raw)


def test_a_database_that_is_not_up_yet_ends_so_that_it_is_started_again(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    with socket.create_server((HOST, 0)) as closed:
        url = f"postgresql://baoxue:hush@{HOST}:{closed.getsockname()[1]}/baoxue"
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(text.replace("sqlite:///baoxue.db", url), encoding="utf-8")
    with Daemon(place) as daemon:
        assert daemon.ends() == 1
    (line,) = daemon.raw
    assert "service.database  the database cannot be reached" in line
    assert "hush" not in line


def test_a_kind_of_database_that_is_not_known_ends_with_2(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(text.replace("sqlite:///baoxue.db", "mysql://127.0.0.1/baoxue"), encoding="utf-8")
    with Daemon(place) as daemon:
        assert daemon.ends() == 2


def test_a_wrong_configuration_ends_with_2_and_every_fault(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(text.replace('records = "units"', 'records = "unit"') + "\n[nonsense]\n", encoding="utf-8")
    with Daemon(place) as daemon:
        assert daemon.ends() == 2
    assert len(daemon.raw) == 2


def test_a_wrong_rule_ends_with_2(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    (tmp_path / "rules.toml").write_text("[[rule]]\nid = 'absent-48h'\n", encoding="utf-8")
    with Daemon(place) as daemon:
        assert daemon.ends() == 2
    assert "rules.toml" in daemon.raw[0]


def test_dead_feeds_and_a_dead_mail_server_stop_nobody_else(tmp_path: Path, gateway: SmsGateway, hanging: str) -> None:
    feeds = f"""
[[feed]]
id = "gone"
kind = "file"
records = "marks"
path = "nowhere/marks.csv"
units = ["sch-1"]
poll = "1s"
[[feed]]
id = "hangs"
kind = "http"
records = "leaves"
url = "{hanging}"
timeout = "1s"
poll = "1s"
"""
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]
    for folder, seconds in folders(tmp_path):
        place = Place(folder, gateway.url, mail_port=port, due_in=seconds, feeds=feeds)
        place.marks("absent")
        with Daemon(place).serves() as daemon:
            told = gateway.expects(TOWN_PHONE, within=seconds + PATIENCE)
            gateway.expects_only(OFFICE_PHONE)
            daemon.says("message not taken", channel="email", final=False)
            assert daemon.says("feed not polled", feed="gone")
            assert daemon.says("feed not polled", feed="hangs")
        late = told.at - place.due
        if late < dt.timedelta(seconds=1.5):
            break

    assert late < dt.timedelta(seconds=1.5)


def test_a_mail_server_that_comes_back_gets_the_mail(tmp_path: Path, gateway: SmsGateway) -> None:
    with SmtpSink() as mail:
        mail.drops("MAIL")
        place = Place(tmp_path, gateway.url, mail_port=mail.port, due_in=3)
        place.marks("absent")
        with Daemon(place).serves() as daemon:
            daemon.says("message not taken", channel="email", final=False)
            mail.expects_only(OFFICE_MAIL)
            gateway.expects(TOWN_PHONE)
            gateway.expects_only(OFFICE_PHONE)


def test_the_feed_is_asked_once_more_before_a_report(tmp_path: Path, gateway: SmsGateway) -> None:
    for folder, seconds in folders(tmp_path):
        place = Place(folder, gateway.url, due_in=seconds)
        place.marks("absent")
        with Daemon(place).serves() as daemon:
            place.marks("present", "marks-2.csv", now())
            if now() + RECENT < place.due:  # a feed that answered a moment before has nothing to add, and is not asked
                daemon.says("asking feeds before reports", within=seconds + PATIENCE)
                until(lambda: sum(line["event"] == "cases changed" for line in daemon.lines) >= 2)
                break
        gateway.forgets()
    else:
        raise AssertionError("no daemon was up in time")
    assert now() > place.due
    gateway.expects_nothing()


def test_health_readiness_and_metrics(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    place.marks("present")
    with Daemon(place).serves() as daemon:
        assert daemon.asks("/healthz").text == "ok\n"
        ready = until(lambda: (answer := daemon.asks("/readyz")).status == 200 and answer)
        assert json.loads(ready.text)["reasons"] == []
        metrics = daemon.asks("/metrics").text
        assert 'baoxue_polls_total{feed="marks",outcome="ok"} 1.0' in metrics
        assert "process_resident_memory_bytes" in metrics


# ---- the store ------------------------------------------------------------------------------------------------------


def with_operator(place: Place) -> Place:
    contacts = [
        ("operator", "county", "管理员", OPERATOR_PHONE, ""),
        ("town_government", "t-1", "镇长甲", TOWN_PHONE, ""),
        ("education_office", "county", "科长乙", OFFICE_PHONE, OFFICE_MAIL),
    ]
    place.writes("contacts.csv", ("role", "unit_id", "name", "phone", "email"), contacts)
    place.marks("present")
    return place


@pytest.mark.parametrize("replaced", [False, True])
def test_a_database_file_that_is_gone_is_told_and_said_until_there_is_one_again(
    tmp_path: Path, gateway: SmsGateway, *, replaced: bool
) -> None:
    place = with_operator(Place(tmp_path, gateway.url, due_in=300))
    database = tmp_path / "baoxue.db"
    with Daemon(place).serves().is_ready() as daemon:
        if replaced:
            shutil.copy(database, tmp_path / "other.db")
            (tmp_path / "other.db").rename(database)
        else:
            for file in tmp_path.glob("baoxue.db*"):
                if file.suffix != ".lock":
                    file.rename(tmp_path / f"kept-{file.name}")
            until(lambda: "was removed" in daemon.asks("/readyz").text)
            assert daemon.asks("/readyz").status == 503
            gateway.expects_only(OPERATOR_PHONE, "数据库文件被删除")
            assert not database.exists()
            for file in tmp_path.glob("kept-*"):
                file.rename(tmp_path / file.name.removeprefix("kept-"))
        assert daemon.ends(within=PATIENCE) == 1
    assert daemon.says("the database file is gone, so the daemon does nothing any more")
    if replaced:
        gateway.expects_only(OPERATOR_PHONE, "数据库文件被替换")
    with Daemon(place).serves():
        pass


def test_a_database_file_that_is_gone_at_a_start_is_not_begun_anew(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    database = tmp_path / "baoxue.db"
    with Daemon(place).serves():
        pass
    database.unlink()
    with Daemon(place) as second:
        assert second.ends() == 1
    assert "service.database" in second.raw[-1]
    assert "was here and is gone" in second.raw[-1]
    assert not database.exists()


def test_another_key_under_the_same_name_ends_a_start_with_2(tmp_path: Path, gateway: SmsGateway) -> None:
    place = Place(tmp_path, gateway.url, due_in=300)
    with Daemon(place).serves():
        pass
    (tmp_path / "baoxue.key").write_text(Keyring.generate("k1"), encoding="utf-8")
    with Daemon(place) as daemon:
        assert daemon.ends() == 2
    assert "privacy.key_file  key 'k1' is another key" in daemon.raw[-1]
