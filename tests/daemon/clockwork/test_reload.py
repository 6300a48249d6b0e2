"""A configuration saved while the daemon runs: taken whole and told anew to nobody, or refused and told once."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.app import open_house
from daemon.config import load_config
from daemon.store import cases, journal
from daemon.store.keys import Keyring
from tests.daemon.clockwork.running import (
    HEAD_PHONE,
    HOUR,
    OFFICE_MAIL,
    OFFICE_PHONE,
    TOWN_PHONE,
    Daemon,
    Manager,
    Place,
    now,
    until,
)
from tests.forward_proxy import ForwardProxy
from tests.phones import SmsGateway, SmtpSink

pytestmark = pytest.mark.timeout(300)

UNKNOWN = "sis.county.example"
OPERATOR_PHONE = "+8613800000009"
TAKEN, SAME = "configuration taken into force", "configuration says what it said"
REFUSED = "configuration refused, the old one keeps running"
REFUSAL, ALL_CLEAR = "新配置有误", "配置已改正"
ESCALATES = """
[[ladder.rung]]
after = "1h"
unless = "acknowledged"
tell = ["town_head"]
channels = ["sms"]
"""


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with SmsGateway() as opened:
        yield opened


@pytest.fixture
def place(tmp_path: Path, gateway: SmsGateway) -> Place:
    """A child who has been absent for half an hour and is reported after one; there is an operator."""
    return with_operator(Place(tmp_path, gateway.url, due_in=1800, extra=ESCALATES))


def with_operator(place: Place, town: str = TOWN_PHONE) -> Place:
    contacts = [
        ("operator", "county", "管理员", OPERATOR_PHONE, ""),
        ("town_government", "t-1", "镇长甲", town, ""),
        ("education_office", "county", "科长乙", OFFICE_PHONE, OFFICE_MAIL),
        ("town_head", "t-1", "镇领导丙", HEAD_PHONE, ""),
    ]
    place.writes("contacts.csv", ("role", "unit_id", "name", "phone", "email"), contacts)
    place.marks("absent")
    return place


def saves(place: Place, name: str, was: str, becomes: str) -> None:
    """Save a file with some of its words replaced, as editors do: written beside, then renamed over it."""
    file = place.folder / name
    text = file.read_text(encoding="utf-8")
    assert was in text
    unfinished = place.folder / f".{name}.swp"
    unfinished.write_text(text.replace(was, becomes), encoding="utf-8")
    unfinished.rename(file)


def configuration(daemon: Daemon) -> dict[str, Any]:
    """What /readyz says of the configuration."""
    answer = daemon.asks("/readyz")
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.text)["configuration"]
    return found


def metric(daemon: Daemon, name: str) -> float:
    return float(re.findall(rf"^{re.escape(name)} (\S+)$", daemon.asks("/metrics").text, re.MULTILINE)[0])


def raised(place: Place) -> list[tuple[str, str]]:
    """Rule and version of every report in the journals."""
    house = open_house(load_config(place.config))
    try:
        with house.store.read() as tx:
            entries = [one for case in cases.list_cases(tx) for one in journal.history(tx, case.case_id)]
    finally:
        house.store.close()
    return [(one.body["rule"], one.body["version"]) for one in entries if one.kind == "raised"]


def versions(place: Place) -> dict[str, str]:
    house = open_house(load_config(place.config))
    house.store.close()
    return {name: rule.version for name, rule in house.rulebook.rules.items()}


def expect_report(gateway: SmsGateway) -> None:
    gateway.expects(TOWN_PHONE)
    gateway.expects_only(OFFICE_PHONE)


def test_a_shorter_wait_that_is_saved_reports_who_is_due_by_it(place: Place, gateway: SmsGateway) -> None:
    before = versions(place)["absent-48h"]
    with Daemon(place).serves() as daemon:
        daemon.says("cases changed")
        daemon.says(SAME)
        ran = configuration(daemon.is_ready())["running"]
        saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
        expect_report(gateway)

        daemon.says(TAKEN)
        assert configuration(daemon)["running"] != ran
    assert raised(place) == [("absent-48h", versions(place)["absent-48h"])]
    assert versions(place)["absent-48h"] != before


def test_an_open_case_keeps_ladder_and_version_and_nothing_is_sent_again(place: Place, gateway: SmsGateway) -> None:
    saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
    saves(place, "config.toml", 'after = "1h"', 'after = "8s"')
    version = versions(place)["absent-48h"]
    with Daemon(place).serves() as daemon:
        expect_report(gateway)
        saves(place, "config.toml", 'tell = ["town_head"]', 'tell = ["operator"]')
        daemon.says(TAKEN)
        saves(place, "rules.toml", 'after = "10m"', 'after = "72h"')
        until(lambda: metric(daemon, 'baoxue_reloads_total{outcome="taken"}') == 2)
        until(lambda: metric(daemon, "baoxue_sweeps_total") > 3)

        gateway.expects(HEAD_PHONE)
        gateway.expects_nothing()
    assert raised(place) == [("absent-48h", version)]


def test_a_bad_rule_leaves_the_old_one_running_and_is_told_once(place: Place, gateway: SmsGateway) -> None:
    with Daemon(place).serves() as daemon:
        daemon.says(SAME)
        ran = configuration(daemon.is_ready())["running"]
        saves(place, "rules.toml", "absent_days >= 1", "absent_dayz >= 1")
        told = gateway.expects(OPERATOR_PHONE, REFUSAL, "rules.toml:5", "rule[0].when")
        assert "absent_dayz" in daemon.says(REFUSED, level="error")["problem"]
        stands = configuration(daemon)
        assert (stands["running"], stands["refused"] in {None, ran}) == (ran, False)
        assert metric(daemon, "baoxue_configuration_refused") == 1

        saves(place, "rules.toml", "试", "再试")  # saved again with the same fault
        until(lambda: metric(daemon, 'baoxue_reloads_total{outcome="refused"}') == 2)
        saves(place, "rules.toml", "absent_dayz >= 1", "absent_days >= 1")
        gateway.expects_only(OPERATOR_PHONE, ALL_CLEAR)
        until(lambda: configuration(daemon)["refused"] is None)
        assert metric(daemon, "baoxue_configuration_refused") == 0
        saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
        expect_report(gateway)
    assert place.folder.name not in told.text


def test_other_faults_are_told_anew(place: Place, gateway: SmsGateway) -> None:
    with Daemon(place).serves():
        saves(place, "rules.toml", "absent_days >= 1", "absent_dayz >= 1")
        gateway.expects(OPERATOR_PHONE, REFUSAL, "rule[0].when")
        saves(place, "rules.toml", 'ladder = "statutory"', 'ladder = "nobody"')
        gateway.expects(OPERATOR_PHONE, REFUSAL, "另有1处")
        saves(place, "rules.toml", "absent_dayz", "absent_days")
        gateway.expects(OPERATOR_PHONE, REFUSAL, "rule[0].ladder")
        saves(place, "rules.toml", 'ladder = "nobody"', 'ladder = "statutory"')
        gateway.expects_only(OPERATOR_PHONE, ALL_CLEAR)


def test_rubbish_and_a_file_that_is_gone_are_refused(place: Place, gateway: SmsGateway) -> None:
    rules = place.folder / "rules.toml"
    text, config = rules.read_bytes(), place.config.read_bytes()
    with Daemon(place).serves().is_ready() as daemon:
        for file, sound in ((rules, text), (place.config, config)):
            file.write_bytes(b"\xff\xfe\x00 = [[[\n\x80")
            gateway.expects(OPERATOR_PHONE, REFUSAL, file.name, "UTF-8")
            file.unlink()
            gateway.expects(OPERATOR_PHONE, REFUSAL, "不存在")
            file.write_bytes(sound)
            gateway.expects_only(OPERATOR_PHONE, ALL_CLEAR)
        assert daemon.asks("/readyz").status == 200


def test_a_template_is_taken_when_it_is_saved_and_refused_when_it_is_wrong(place: Place, gateway: SmsGateway) -> None:
    with Daemon(place).serves() as daemon:
        mine = place.folder / "templates" / "sms" / "report.zh.txt.j2"
        mine.parent.mkdir(parents=True)
        mine.write_text("自己写的 {{ alerts[0].case }}\n", encoding="utf-8")
        daemon.says(TAKEN)
        mine.write_text("自己写的 {{ alerts[0].nonsense }}\n", encoding="utf-8")
        gateway.expects(OPERATOR_PHONE, REFUSAL, "templates/sms/report.zh.txt.j2:1")
        saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')  # the rules are sound, the whole is not
        until(lambda: metric(daemon, 'baoxue_reloads_total{outcome="refused"}') == 2)
        gateway.expects_nothing()

        mine.write_text("改写的 {{ alerts[0].case }}\n", encoding="utf-8")
        gateway.expects(TOWN_PHONE, "改写的")
        gateway.expects(OFFICE_PHONE, "改写的")
        gateway.expects_only(OPERATOR_PHONE, ALL_CLEAR)


def test_a_changed_list_of_contacts_needs_no_reload(place: Place, gateway: SmsGateway) -> None:
    another = "+8613800000077"
    saves(place, "config.toml", 'path = "contacts.csv"', 'path = "contacts.csv"\npoll = "1s"')
    with Daemon(place).serves() as daemon:
        with_operator(place, town=another)
        daemon.says("feed polled", feed="contacts", contacts_changed=1)
        saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
        gateway.expects(another)
        gateway.expects_only(OFFICE_PHONE)


def test_sighup_reads_all_anew_and_the_manager_hears_of_it(place: Place, tmp_path: Path, gateway: SmsGateway) -> None:
    with Manager(tmp_path) as manager, Daemon(place, {"NOTIFY_SOCKET": manager.path}).serves() as daemon:
        daemon.says(SAME)
        for times in (1, 2):
            daemon.signal(signal.SIGHUP)
            manager.hears("RELOADING=1", times)
            manager.hears("READY=1", 1 + times)
        assert metric(daemon, 'baoxue_reloads_total{outcome="unchanged"}') == 3
        gateway.expects_nothing()


def test_many_signals_at_once_stop_nothing(place: Place, gateway: SmsGateway) -> None:
    with Daemon(place) as daemon:
        daemon.says("polling before the start")
        daemon.signal(signal.SIGHUP)
        daemon.serves()
        for number in range(30):
            daemon.signal(signal.SIGHUP)
            if number == 10:
                saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
        expect_report(gateway)
        assert metric(daemon, 'baoxue_reloads_total{outcome="taken"}') == 1


def test_a_new_key_of_a_channel_is_read_on_sighup(place: Place, gateway: SmsGateway) -> None:
    (place.folder / "sms.token").write_text("one", encoding="utf-8")
    saves(place, "config.toml", "[channels.sms]", '[channels.sms]\ntoken_file = "sms.token"')
    with Daemon(place).serves() as daemon:
        saves(place, "rules.toml", "absent_days >= 1", "absent_dayz >= 1")
        gateway.expects(OPERATOR_PHONE, REFUSAL)
        saves(place, "rules.toml", "absent_dayz >= 1", "absent_days >= 1")
        gateway.expects(OPERATOR_PHONE, ALL_CLEAR)
        (place.folder / "sms.token").write_text("two", encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        daemon.says(TAKEN)
        saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
        expect_report(gateway)
    assert [one.headers["authorization"] for one in gateway.requests] == [*["Bearer one"] * 2, *["Bearer two"] * 2]
    assert not [line for line in daemon.raw if "Warning" in line]


def test_a_channel_that_is_added_speaks_at_once(place: Place, gateway: SmsGateway) -> None:
    with SmtpSink() as sink, Daemon(place).serves() as daemon:
        mail = f'[channels.email]\nhost = "127.0.0.1"\nport = {sink.port}\nsecurity = "none"\nfrom = "b@example.org"\n'
        saves(place, "config.toml", "[privacy]", f"{mail}[privacy]")
        daemon.says(TAKEN)
        saves(place, "config.toml", 'channels = ["sms"]', 'channels = ["sms", "email"]')
        until(lambda: metric(daemon, 'baoxue_reloads_total{outcome="taken"}') == 2)
        saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
        sink.expects_only(OFFICE_MAIL)
        expect_report(gateway)


def test_what_waits_for_a_restart_is_named_and_the_rest_is_taken(place: Place, gateway: SmsGateway) -> None:
    with Daemon(place).serves() as daemon:
        daemon.says(SAME)
        daemon.is_ready()
        saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
        expect_report(gateway)
        saves(place, "config.toml", 'poll = "1h"', 'poll = "2h"')
        said = daemon.says("changed keys wait for a restart", level="warning")
        saves(place, "config.toml", 'holidays = "none"', 'holidays = "CN"')
        until(lambda: len(configuration(daemon)["waits_for_restart"]) == 2)

        assert said["keys"] == ["feed[3].poll"]
        assert configuration(daemon)["waits_for_restart"] == ["calendar.holidays", "feed[3].poll"]
        assert metric(daemon, 'baoxue_reloads_total{outcome="taken"}') == 1


def test_a_save_that_says_the_same_and_other_files_change_nothing(place: Place, gateway: SmsGateway) -> None:
    with Daemon(place).serves() as daemon:
        daemon.says(SAME)
        (place.folder / "notes.txt").write_text("nothing to us", encoding="utf-8")
        (place.folder / "baoxue.key").touch()
        saves(place, "rules.toml", "[[rule]]", "# why it is so\n\n[[rule]]")
        until(lambda: metric(daemon, 'baoxue_reloads_total{outcome="unchanged"}') == 2)
        saves(place, "config.toml", "[rules]", "# where they are\n[rules]")
        until(lambda: metric(daemon, 'baoxue_reloads_total{outcome="unchanged"}') == 3)

        assert not [line for line in daemon.lines if line["event"] == TAKEN]
        gateway.expects_nothing()


def test_a_refusal_outlives_the_daemon_and_ends_with_a_sound_start(place: Place, gateway: SmsGateway) -> None:
    with Daemon(place).serves() as daemon:
        daemon.says(SAME)
        saves(place, "rules.toml", "absent_days >= 1", "absent_dayz >= 1")
        gateway.expects_only(OPERATOR_PHONE, REFUSAL)
    saves(place, "rules.toml", "absent_dayz >= 1", "absent_days >= 1")
    with Daemon(place).serves():
        gateway.expects_only(OPERATOR_PHONE, ALL_CLEAR)


def test_a_start_refuses_what_check_and_a_reload_refuse_and_says_all_of_it(place: Place, gateway: SmsGateway) -> None:
    mine = place.folder / "templates" / "sms" / "return.zh.txt.j2"
    mine.parent.mkdir(parents=True)
    mine.write_text("{{ nonsense }}", encoding="utf-8")
    saves(place, "rules.toml", "absent_days >= 1", "absent_dayz >= 1")
    with Daemon(place) as daemon:
        assert daemon.ends() == 2
    said = "".join(daemon.raw)
    assert "templates/sms/return.zh.txt.j2:1" in said
    assert "absent_dayz" in said
    gateway.expects_nothing()


def test_a_start_passes_over_hidden_files_beside_templates(place: Place) -> None:
    folder = place.folder / "templates" / "sms"
    folder.mkdir(parents=True)
    (folder / ".#return.zh.txt.j2").symlink_to("me@host.4711:1")
    with Daemon(place).serves() as daemon:
        daemon.says(SAME)


def test_the_deadline_of_a_child_is_kept_over_a_reload(tmp_path: Path, gateway: SmsGateway) -> None:
    place = with_operator(Place(tmp_path, gateway.url, due_in=12))
    with Daemon(place).serves() as daemon:
        daemon.says("cases changed")
        saves(place, "config.toml", "[rules]", '[rules]\nstorm_hold = "1h"')
        daemon.says(TAKEN)
        told = gateway.expects(TOWN_PHONE)
        gateway.expects_only(OFFICE_PHONE)
    assert place.due <= told.at < place.due + HOUR
    assert now() >= place.due


def test_a_district_that_goes_live_by_a_save_tells_the_report_that_stands_first(
    place: Place, gateway: SmsGateway
) -> None:
    saves(place, "rules.toml", 'after = "1h"', 'after = "10m"')
    saves(place, "config.toml", 'after = "1h"', 'after = "6s"')
    saves(place, "config.toml", 'district = "610999"', 'district = "610999"\nmode = "shadow"')
    with Daemon(place).serves() as daemon:
        gateway.expects(OPERATOR_PHONE, "试运行", "报告", "乡镇（街道）政府")
        saves(place, "config.toml", 'mode = "shadow"', 'mode = "live"')
        daemon.says(TAKEN)

        gateway.expects(TOWN_PHONE, "控辍保学报告")
        gateway.expects(OFFICE_PHONE, "控辍保学报告")
        gateway.expects(HEAD_PHONE, "升级督办")


def test_a_key_file_that_the_next_start_would_refuse_is_refused_at_once(place: Place, gateway: SmsGateway) -> None:
    with Daemon(place).serves() as daemon:
        daemon.says(SAME)
        (place.folder / "baoxue.key").write_text(Keyring.generate("k1"), encoding="utf-8")
        daemon.signal(signal.SIGHUP)
        gateway.expects_only(OPERATOR_PHONE, REFUSAL)
        assert "another key" in daemon.says(REFUSED)["problem"]


def test_a_proxy_that_is_saved_is_used_for_the_next_poll(place: Place, gateway: SmsGateway) -> None:
    url = f'url = "http://{UNKNOWN}/leaves.csv"'
    feed = f'[[feed]]\nid = "leaves"\nkind = "http"\nrecords = "leaves"\n{url}\npoll = "1s"\ntimeout = "1s"\n'
    saves(place, "config.toml", "[[ladder]]", f"{feed}[[ladder]]")
    refusing = ForwardProxy(refuses=b"HTTP/1.1 407 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    with refusing as proxy, Daemon(place).serves() as daemon:
        daemon.says("feed not polled", feed="leaves")
        assert proxy.asked == []
        saves(place, "config.toml", "[console]", f'[network]\nproxy = "{proxy.url}"\n[console]')
        daemon.says(TAKEN)
        until(lambda: bool(proxy.asked))
        assert all(line["event"] != "changed keys wait for a restart" for line in daemon.lines)
        gateway.forgets()
    assert proxy.asked[0] == f"GET http://{UNKNOWN}/leaves.csv HTTP/1.1"
