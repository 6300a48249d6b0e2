"""What a reload stands on: which files count, what is kept, and that no batch of a sweep sees two sets of rules."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.app import renew_terms
from daemon.clockwork.reload import Reload
from daemon.clockwork.written import Written
from daemon.config import ConfigError, load_config
from daemon.console.ready import Vitals
from daemon.jobs import sweep
from daemon.jobs.apply import apply_decisions
from daemon.jobs.intake import CLASS
from daemon.jobs.send import send_due
from daemon.store import timers
from daemon.store.engine import Store
from daemon.systemd import Watch
from tests.authority import Authority
from tests.daemon.desk.county_office import Office, local, write_county

RULE = (
    '[[rule]]\nid = "absent-48h"\nwhen = "absent_days >= 1"\nafter = "24h"\nstage = "reported"\nladder = "statutory"\n'
)


@pytest.fixture
def office(tmp_path: Path, sqlite_store: Store) -> Office:
    path = write_county(tmp_path)
    text = path.read_text(encoding="utf-8").replace("[[ladder]]", '[rules]\nfiles = ["rules.toml"]\n[[ladder]]', 1)
    path.write_text(text, encoding="utf-8")
    (tmp_path / "rules.toml").write_text(RULE, encoding="utf-8")
    return Office(tmp_path, sqlite_store)


def reload_of(office: Office) -> Reload:
    return Reload(office.house, Vitals(office.house), Watch({}), {})


# ---- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda at: (at / "rules.toml").write_text("# other", encoding="utf-8"),
        lambda at: (at / "rules.toml").unlink(),
        lambda at: (at / "rules.toml").chmod(0o600),
        lambda at: (at / "config.toml").rename(at / "old.toml"),
        lambda at: (at / "templates").mkdir() or (at / "templates" / "a.j2").touch(),
    ],
)
def test_a_file_that_is_written_taken_away_or_added_counts(office: Office, change: Callable[[Path], object]) -> None:
    written = Written(office.house.config.path)
    before = written.print()
    change(office.folder)
    assert written.print() != before


@pytest.mark.parametrize("name", ["baoxue.key", "baoxue.db", "students.csv", "notes.toml", ".rules.toml.swp"])
def test_keys_the_store_feeds_and_other_files_do_not_count(office: Office, name: str) -> None:
    written = Written(office.house.config.path)
    before = written.print(), written.digest()
    (office.folder / name).write_text("other", encoding="utf-8")
    assert (written.print(), written.digest()) == before


def test_a_lock_of_an_editor_beside_a_template_does_not_count(office: Office) -> None:
    (office.folder / "templates" / "sms").mkdir(parents=True)
    written = Written(office.house.config.path)
    before = written.print(), written.folders()
    (office.folder / "templates" / "sms" / ".#report.zh.txt.j2").symlink_to("me@host.4711:1")
    (office.folder / "templates" / "sms" / "~$report.zh.txt.j2").write_bytes(b"\x05Wei")
    (office.folder / "templates" / "..2026_1").mkdir()
    assert (written.print(), written.folders()) == before


def test_templates_in_a_linked_folder_count_and_so_does_their_swap(office: Office) -> None:
    templates = office.folder / "templates"
    for version, text in (("..1", "一"), ("..2", "二")):
        (templates / version / "sms").mkdir(parents=True)
        (templates / version / "sms" / "report.zh.txt.j2").write_text(text, encoding="utf-8")
    (templates / "..data").symlink_to("..1")
    (templates / "sms").symlink_to("..data/sms")
    written = Written(office.house.config.path)
    before = written.print(), written.digest()
    assert templates / "sms" in written.folders()
    (templates / "..data_tmp").symlink_to("..2")
    (templates / "..data_tmp").rename(templates / "..data")
    assert written.print() != before[0]
    assert written.digest() != before[1]


def with_network(office: Office, lines: str) -> None:
    config = office.folder / "config.toml"
    config.write_text(f"{config.read_text(encoding='utf-8')}\n[network]\n{lines}", encoding="utf-8")


def test_authorities_count_as_soon_as_they_are_named(office: Office) -> None:
    authority = Authority(office.folder, "county")
    with_network(office, 'ca_file = "county.pem"')
    written = Written(office.house.config.path)
    before = written.print(), written.digest()
    authority.file.write_text(Authority(office.folder, "other").certificates, encoding="utf-8")
    assert written.print() != before[0]
    assert written.digest() != before[1]


@pytest.mark.parametrize("change", ["key", "bytes"])
def test_another_way_out_builds_every_channel_anew(office: Office, change: str) -> None:
    authority = Authority(office.folder, "county")
    with_network(office, 'ca_file = "county.pem"')
    path = office.house.config.path
    before = renew_terms(office.house.terms, load_config(path), office.house.clock)
    same = renew_terms(before, load_config(path), office.house.clock)
    assert all(same.notifiers[name] is one for name, one in before.notifiers.items())
    if change == "key":
        path.write_text(f"{path.read_text(encoding='utf-8')}\nno_proxy = ['10.0.0.0/8']\n", encoding="utf-8")
    else:
        authority.file.write_text(Authority(office.folder, "other").certificates, encoding="utf-8")
    after = renew_terms(before, load_config(path), office.house.clock)
    assert before.notifiers
    assert not any(after.notifiers[name] is one for name, one in before.notifiers.items())


def test_a_rule_file_in_another_folder_is_watched_as_soon_as_it_is_named(office: Office) -> None:
    written = Written(office.house.config.path)
    (office.folder / "ours").mkdir()
    config = office.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("rules.toml", "ours/rules.toml"), encoding="utf-8")
    written.name_files()
    assert written.folders() == {office.folder, office.folder / "ours"}
    before = written.print()
    (office.folder / "ours" / "rules.toml").write_text(RULE, encoding="utf-8")
    assert written.print() != before


def test_what_cannot_be_parsed_leaves_the_files_it_named_before(office: Office) -> None:
    written = Written(office.house.config.path)
    before = written.files()
    (office.folder / "config.toml").write_bytes(b"\xff[[[")
    written.name_files()
    assert written.files() == before


# ---- terms --------------------------------------------------------------------------------------------------------


def test_what_is_the_same_stays_the_same_object(office: Office) -> None:
    terms = office.house.terms
    renewed = renew_terms(terms, load_config(terms.config.path), office.house.clock)
    assert renewed.laws is terms.laws
    assert renewed.words is terms.words
    assert renewed.notifiers == terms.notifiers


def test_faults_of_rules_and_templates_are_found_at_once(office: Office) -> None:
    (office.folder / "rules.toml").write_text("nonsense = 1\n", encoding="utf-8")
    (office.folder / "templates" / "sms").mkdir(parents=True)
    (office.folder / "templates" / "sms" / "report.zh.txt.j2").write_text("{{ nonsense }}", encoding="utf-8")
    terms = office.house.terms
    with pytest.raises(ConfigError) as refusal:
        renew_terms(terms, load_config(terms.config.path), office.house.clock)
    assert {one.path for one in refusal.value.problems} == {"rules.toml", "templates/sms/report.zh.txt.j2"}


# ---- turns --------------------------------------------------------------------------------------------------------


def test_a_reload_waits_for_the_batch_under_way(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    (office.folder / "marks-1.csv").write_text("student_id,date,session,mark\ns-001,2026-03-16,am,absent\n")
    begun, go_on, seen = threading.Event(), threading.Event(), []

    def slowly(*given: object) -> int:
        seen.append(office.house.terms)
        begun.set()
        assert go_on.wait(30)
        seen.append(office.house.terms)
        return apply_decisions(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("daemon.jobs.sweep.apply_decisions", slowly)
    before = office.house.terms
    deciding = threading.Thread(target=office.step, args=(0, "08:20"))
    deciding.start()
    assert begun.wait(30)
    (office.folder / "rules.toml").write_text(RULE.replace("24h", "12h"), encoding="utf-8")
    reloading = threading.Thread(target=reload_of(office).look)
    reloading.start()
    reloading.join(0.3)
    go_on.set()
    for thread in (reloading, deciding):
        thread.join(30)

    assert seen[:2] == [before, before]
    assert office.house.law.clock.after.total_seconds() == 12 * 3600


def test_a_reload_that_fails_on_the_way_changes_nothing_and_is_tried_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.step(0, "08:20")
    reload, before = reload_of(office), office.house.terms
    (office.folder / "rules.toml").write_text(RULE.replace("24h", "12h"), encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr("daemon.clockwork.reload.prepare", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reload.look()
    assert office.house.terms is before
    reload.look()
    assert office.house.law.version != before.law.version


def test_a_reload_judges_anew_and_tells_nothing_twice(office: Office) -> None:
    office.roll(0, "am", "APP", "08:20")
    assert ("1", "report") in office.roll(1, "am", "APP", "08:20")  # 24 hours have passed
    (office.folder / "rules.toml").write_text(RULE.replace("24h", "12h"), encoding="utf-8")
    reload_of(office).look()
    with office.house.store.read() as tx:
        assert timers.next_due(tx, (CLASS,)) == office.now
    assert office.step(1, "08:25") == []
    with office.house.store.read() as tx:
        assert timers.due(tx, office.now, 10, (CLASS,)) == []


def test_a_message_whose_channel_was_taken_away_waits_for_it(office: Office) -> None:
    office.roll(0, "am", "APP", "08:20")
    sound = office.house.terms
    office.now = local(1, "09:10")
    sweep.sweep_due(office.house, office.now)
    office.house.terms = replace(sound, notifiers={})
    assert send_due(office.house, "sms", office.now) == 2
    office.house.terms = sound
    assert office.step(1, "09:20") == [("1", "report"), ("3", "report")]
