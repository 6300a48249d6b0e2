"""Scenario 15, reload, restart, another schema: what was sent stays sent, what waits arrives, no clock begins anew.

Elsewhere:
    tests/daemon/clockwork/test_reload.py::test_a_bad_rule_leaves_the_old_one_running_and_is_told_once
    tests/daemon/clockwork/test_reload.py::test_an_open_case_keeps_ladder_and_version_and_nothing_is_sent_again
    tests/daemon/clockwork/test_reload.py::test_the_deadline_of_a_child_is_kept_over_a_reload
    tests/daemon/clockwork/test_reload_parts.py::test_a_reload_judges_anew_and_tells_nothing_twice
    tests/days/test_days_ladder.py::test_after_an_outage_the_highest_rung_speaks_and_everybody_is_told_once
    tests/daemon/store/test_engine.py::test_a_migration_that_dies_midway_leaves_nothing_and_goes_on_at_the_next_start
    tests/crash/test_named_deaths.py::test_killed_at_named_points
"""

from __future__ import annotations

from daemon.clockwork.reload import Reload
from daemon.clockwork.startup import prepare
from daemon.console.ready import Vitals
from daemon.store import upgrades
from daemon.store.engine import Store
from daemon.systemd import Watch
from tests.days.conftest import Opens
from tests.days.school import Day
from tests.days.stories import ana_vanishes

BEFORE = "0002"
"""The schema of the version before, and what came after it: tables, indexes, columns."""
TABLES = ("sent_text", "key_check", "receipt", "reply", "silence", "unreachable", "renumbering")
INDEXES = (
    "ix_payload_district_id_feed_id_sha256",
    "ix_alert_instead_of",
    "ix_message_provider",
    "ix_message_turn",
    "ix_message_told",
)
COLUMNS = {
    "alert": ("fallback", "falls_back_at", "instead_of"),
    "message": ("addressee", "priority", "turn", "held", "school", "provider_id", "delivered_at"),
    "roll": ("delivered_at",),
    "feed": ("failed_polls", "failing_since", "dates_ahead"),
    "payload": ("outcome", "delivered_at", "waiting_count", "notices"),
    "attempt": ("fault",),
}
DRIFT = """
[[rule]]
id = "drift"
title = { zh = "近五日三次旷课", en = "Three days without leave in five" }
when = "unexcused_days_5 >= 3"
stage = "watch"
ladder = "watch"
"""


def as_the_version_before_left_it(store: Store) -> None:
    """The store with everything it holds, on the schema of the version before."""
    words = [f"DROP TABLE {name}" for name in TABLES]
    words += [f"DROP INDEX {name}" for name in INDEXES]
    words += [f"ALTER TABLE {table} DROP COLUMN {name}" for table, names in COLUMNS.items() for name in names]
    words += [f"UPDATE alembic_version SET version_num = '{BEFORE}'"]  # noqa: S608 - ours
    with store.write() as tx:
        for one in words:
            tx.connection.exec_driver_sql(one)


def report_waits_for_a_mail_server(day: Day) -> None:
    """Town and mentor have the report; the office's is tried again and again."""
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.mail.refuses("MAIL", "451 4.3.2 not now", times=1_000)
    day.roll("am", absent=["ana"])
    day.expects_sms("town", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.at("Wed 08:13")


def office_has_the_report_and_nobody_anything_else(day: Day) -> None:
    day.everybody_answers()
    day.at("Wed 08:29")
    day.expects_mail("office", "控辍保学报告", "2026-000001")
    day.at("Wed 13:00")
    assert day.mail.repeats == day.sms.repeats == day.hook.repeats == []


def test_an_upgrade_of_the_schema_finds_what_was_sent_and_sends_what_was_not(day: Day) -> None:
    report_waits_for_a_mail_server(day)
    as_the_version_before_left_it(day.store)
    assert day.store.revision() == BEFORE

    day.store.upgrade()
    day.house = day.another_house("the next version")
    prepare(day.house, day.now)
    day.works()

    assert day.store.revision() == upgrades.head()
    office_has_the_report_and_nobody_anything_else(day)
    day.at("Wed 14:10")
    day.roll("pm")
    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')


def test_a_bad_file_stops_nothing_that_is_under_way_and_is_told_to_the_operator(opens: Opens) -> None:
    day = opens(rules=DRIFT)
    reload = Reload(day.house, Vitals(day.house), Watch({}), {})
    ana_vanishes(day)
    day.at("Wed 07:50")
    (day.folder / "rules.toml").write_text(DRIFT.replace("unexcused_days_5", "unexcused_dayz_5"), encoding="utf-8")
    reload.ask()
    reload.look()
    day.works()
    day.expects_mail("operator", "新配置没有生效", "rules.toml")

    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.expects_sms("teacher", "辍学苗头")
    day.expects_hook("mentor", '"risk"')
    assert day.case("ana").due_at == day.now.replace(minute=0)
