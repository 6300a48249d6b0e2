"""deploy/README.md, line by line, by somebody who has a clean Debian and nothing else.

One Debian for all parts, in the order of the page; each test is one part and what must be true after it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.debian import CannotBootError, Debian, booted, build
from tests.deploy.office import TOKEN, carry, configuration, furnish, taken
from tests.deploy.pages import Block, blocks_of
from tests.test_wheel import OFFLINE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "deploy" / "README.md"
SUITES = {"bookworm": "3.11", "trixie": "3.13"}
"""Each Debian the page is for, and its Python."""
NEWER = "0.2.0"
WIDE = 1_800

ASKED_FOR = "BAOXUE_DEPLOY"
pytestmark = [
    pytest.mark.xdist_group("deploy"),
    pytest.mark.timeout(WIDE),
    pytest.mark.skipif(not os.environ.get(ASKED_FOR), reason="boots clean Debians for many minutes: make deploy"),
]


def make(*words: str, folder: Path = ROOT) -> None:
    """Run the repository's own make; skip where no package index can be reached."""
    done = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", "--silent", "--assume-old=.venv/.test", *words],  # noqa: S607 - the make of PATH, as the page says
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and OFFLINE.search(done.stdout + done.stderr):
        pytest.skip("no package index can be reached, so there is nothing to install from")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def newer_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the next version, whose tables this version does not know."""
    copy = tmp_path_factory.mktemp("newer") / "baoxue"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "dist", "build", "tests", "bench"))
    project = copy / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(re.sub(r'^version = ".*"$', f'version = "{NEWER}"', text, flags=re.MULTILINE), encoding="utf-8")
    versions = copy / "daemon/store/migrations/versions"
    head = max(file.name.partition("_")[0] for file in versions.glob("[0-9]*_*.py"))
    lines = (
        "from alembic import op",
        f'revision = "{int(head) + 1:04}"',
        f'down_revision = "{head}"',
        'def upgrade():\n    op.execute("CREATE TABLE of_the_next_version (n INTEGER)")',
    )
    (versions / f"{int(head) + 1:04}_next.py").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", copy.parent, copy],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return next(copy.parent.glob("*.whl"))


@pytest.fixture(scope="module", params=SUITES)
def debian(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, newer_wheel: Path
) -> Iterator[Debian]:
    """A clean Debian with the wheelhouses carried over, and the office's tables to be put in place."""
    folder = tmp_path_factory.mktemp(request.param)
    try:
        build(request.param, folder / "root")
        with booted(folder / "root") as machine:
            elsewhere = block("The program, without a network", words="elsewhere")
            words = elsewhere.text.splitlines()[1].replace("FOR=3.11", f"FOR={SUITES[request.param]}").split()
            assert words[0] == "make"
            make(*words[1:], f"WHEELHOUSE={folder / 'wheelhouse'}")
            carry(folder / "wheelhouse", machine, "wheelhouse")
            next((folder / "wheelhouse").glob("baoxue-*.whl")).unlink()
            shutil.copy(newer_wheel, folder / "wheelhouse")
            carry(folder / "wheelhouse", machine, f"wheelhouse-{NEWER}")
            furnish(machine, dt.datetime.now(dt.UTC))
            yield machine
    except CannotBootError as error:
        pytest.skip(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- the page --------------------------------------------------------------------------------------------------------


def blocks(part: str, *, language: str = "sh", words: str = "") -> list[Block]:
    page = PAGE.read_text(encoding="utf-8")
    return [one for one in blocks_of(page) if (one.part, one.language, one.words) == (part, language, words)]


def block(part: str, *, language: str = "sh", words: str = "") -> Block:
    (one,) = blocks(part, language=language, words=words)
    return one


def follow(debian: Debian, part: str, number: int = 0, *, stdin: str = "") -> str:
    """Type a block of a part as root, and say what it printed."""
    done = debian.run(blocks(part)[number].text, stdin=stdin)
    assert done.code == 0, done.said
    return done.said


def readiness(debian: Debian) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(debian.run("curl --silent http://127.0.0.1:8080/readyz").out)
    return found


def test_every_block_is_for_somebody_who_runs_it() -> None:
    page = [one for one in blocks_of(PAGE.read_text(encoding="utf-8")) if one.language == "sh"]
    assert {one.words for one in page} == {"", "elsewhere", "as lina"}
    assert {one.part: sum(two.part == one.part for two in page) for one in page} == {
        "Packages, user and groups": 1,
        "The program, without a network": 2,
        "Units, command and folders": 1,
        "Key and secrets": 1,
        "Configuration": 1,
        "First start": 1,
        "The people of the office": 2,
        "Backups": 2,
        "Upgrade, and back": 2,
        "Uninstall": 2,
    }


def test_the_office_of_these_tests_has_the_keys_the_page_names() -> None:
    named = tomllib.loads(block("Configuration", language="toml").text)
    written = tomllib.loads(configuration(dt.date(2026, 3, 16)))
    for section, keys in named.items():
        inner = keys["sms"] if section == "channels" else keys
        assert inner.items() <= (written[section]["sms"] if section == "channels" else written[section]).items()


# ---- the parts, in their order ---------------------------------------------------------------------------------------


def test_1_packages_user_and_groups(debian: Debian) -> None:
    follow(debian, "Packages, user and groups")
    assert "baoxue-office" in debian.run("id baoxue").out


def test_2_the_program_is_installed_without_a_network(debian: Debian) -> None:
    assert debian.run("ip link 2>/dev/null | grep -c ether || true").out.strip() in {"0", ""}
    follow(debian, "The program, without a network")
    assert "baoxue 0.1.0" in debian.run("/opt/baoxue/current/bin/baoxue --version").out


def test_3_units_command_and_folders(debian: Debian) -> None:
    assert "/etc/sudoers.d/baoxue: parsed OK" in follow(debian, "Units, command and folders")
    assert debian.run("systemd-analyze verify baoxue.service baoxue-backup.service baoxue-backup.timer").said == ""
    assert debian.run("cp /root/tables/*.csv /srv/baoxue/inbox/").code == 0


def test_4_key_and_secrets(debian: Debian) -> None:
    follow(debian, "Key and secrets", stdin=f"{TOKEN}\n")
    listed = debian.run("stat --format='%n %a %U %G' /etc/baoxue/secrets/*").out.splitlines()
    assert [line.split()[1:] for line in listed] == [["640", "root", "baoxue"]] * 2


def test_5_the_configuration_is_in_order(debian: Debian) -> None:
    assert "4 feeds" in follow(debian, "Configuration")


def test_6_the_first_start_is_well_and_the_operator_is_told_through_the_secret(debian: Debian) -> None:
    said = follow(debian, "First start")
    assert said.startswith("active\nactive\n")
    assert readiness(debian)["ready"] is True
    assert debian.run("until [ -s /root/taken.jsonl ]; do sleep 1; done", seconds=90).code == 0  # gathered for a while
    (message, *_) = taken(debian)
    assert message["authorization"] == f"Bearer {TOKEN}"
    assert "13800000006" in message["body"]


def test_6_it_is_started_again_when_it_dies(debian: Debian) -> None:
    assert debian.run("systemctl kill --signal=KILL baoxue.service").code == 0
    restarts = "systemctl show --property=NRestarts --value baoxue.service"
    assert debian.run(f"until [ $({restarts}) = 1 ]; do sleep 0.5; done", seconds=60).code == 0
    active = "[ $(systemctl is-active baoxue.service) = active ]"
    assert debian.run(f"until {active}; do sleep 0.5; done", seconds=60).code == 0


def test_6_a_reload_takes_up_a_new_secret(debian: Debian) -> None:
    assert debian.run("systemctl reload baoxue.service").code == 0
    assert debian.run("systemctl is-active baoxue.service").out == "active\n"


def test_7_the_office_works_without_root_and_without_the_secrets(debian: Debian) -> None:
    follow(debian, "The people of the office")
    for line in block("The people of the office", words="as lina").text.splitlines():
        done = debian.run(line, user="lina")
        assert done.code == 0, done.said
    assert "s-1" in debian.run("baoxue cases", user="lina").out
    number = json.loads(debian.run("baoxue cases --json", user="lina").out)[0]["case"]
    assert debian.run(f"baoxue case note {number} '家访 visited' --by 李娜", user="lina").code == 0
    shown = json.loads(debian.run(f"baoxue case show {number} --json", user="lina").out)
    assert "李娜" in json.dumps(shown["journal"], ensure_ascii=False)
    paper = debian.run(
        f"baoxue case proof {number} --by 李娜 --out - > paper.html && head -c 15 paper.html", user="lina"
    )
    assert paper.out.lower() == "<!doctype html>"
    day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=3)
    table = f"student_id,date,session,mark\\ns-2,{day},am,present\\n"
    assert debian.run(f"printf '{table}' > /srv/baoxue/inbox/marks-later.csv", user="lina").code == 0
    assert debian.run("baoxue import --feed marks").code == 0
    assert "李娜" not in debian.run("journalctl --unit=baoxue --output=cat").out


AS_BAOXUE = "sudo --non-interactive --user=baoxue"
PROGRAM = f"{AS_BAOXUE} /opt/baoxue/current/bin/baoxue"
CONFIGURED = f"{PROGRAM} --config /etc/baoxue/config.toml"


@pytest.mark.parametrize(
    "line",
    [
        "cat /etc/baoxue/secrets/baoxue.key",
        "cat /etc/baoxue/config.toml",
        "ls /var/lib/baoxue",
        "ls /var/backups/baoxue",
        "sudo --non-interactive id",
        f"{AS_BAOXUE} cat /etc/baoxue/secrets/baoxue.key",
        f"{PROGRAM} cases",
        f"{PROGRAM} --config /tmp/mine.toml cases",
        f"{CONFIGURED} cases --config /tmp/mine.toml",
        f"{CONFIGURED} cases --config=/tmp/mine.toml",
        f"{CONFIGURED} --config /tmp/mine.toml cases",
        f"{CONFIGURED} case proof 1 --out /var/lib/baoxue/baoxue.db --by x",
        f"{CONFIGURED} case proof 1 --out=-x --by x",
        f"{CONFIGURED} db verify",
        f"{CONFIGURED} import",
        f"{CONFIGURED} say --to operator",
    ],
)
def test_7_the_office_comes_by_nothing_else(debian: Debian, line: str) -> None:
    done = debian.run(line, user="lina")
    assert done.code != 0
    assert done.out == ""
    assert re.search(r"Permission denied|a password is required|not allowed", done.err), done.err


def test_7_who_is_not_of_the_office_is_refused(debian: Debian) -> None:
    assert debian.run("useradd --create-home guest").code == 0
    assert debian.run("baoxue cases < /dev/null", user="guest").code != 0
    assert debian.run("ls /srv/baoxue/inbox", user="guest").code != 0


def test_8_a_backup_is_there_and_can_be_restored(debian: Debian) -> None:
    said = follow(debian, "Backups")
    assert "baoxue-backup.timer" in said
    assert re.search(r"it can be restored: .*cases 1, .*students 2", said)


def test_8_a_backup_that_fails_is_a_failed_unit(debian: Debian) -> None:
    failed = debian.run("chmod 0500 /var/backups/baoxue; systemctl start baoxue-backup.service")
    assert failed.code != 0
    assert "Permission denied" in debian.run("journalctl --unit=baoxue-backup --output=cat").out
    assert debian.run("chmod 0700 /var/backups/baoxue; systemctl start baoxue-backup.service").code == 0


def test_8_a_store_that_was_lost_comes_back(debian: Debian) -> None:
    (before,) = json.loads(debian.run("baoxue cases --json").out)
    assert debian.run("systemctl stop baoxue; rm /var/lib/baoxue/baoxue.db*").code == 0
    assert "the journals of 1 cases are whole" in follow(debian, "Backups", 1)
    (after,) = json.loads(debian.run("baoxue cases --json").out)
    assert after["case"] == before["case"]


def test_9_a_newer_version_takes_over(debian: Debian) -> None:
    follow(debian, "Upgrade, and back")
    assert f"baoxue {NEWER}" in debian.run("baoxue --version").out
    assert readiness(debian)["ready"] is True
    refused = debian.run("sudo --user=baoxue /opt/baoxue/0.1.0/bin/baoxue --config /etc/baoxue/config.toml cases")
    assert "this version knows up to" in refused.err


def test_9_and_the_older_one_comes_back(debian: Debian) -> None:
    follow(debian, "Upgrade, and back", 1)
    assert "baoxue 0.1.0" in debian.run("baoxue --version").out
    assert readiness(debian)["ready"] is True
    assert len(json.loads(debian.run("baoxue cases --json").out)) == 1


def test_12_the_program_goes_and_what_was_entered_stays(debian: Debian) -> None:
    follow(debian, "Uninstall")
    assert debian.run("ls /opt/baoxue /usr/local/bin/baoxue").code != 0
    assert debian.run("ls /var/lib/baoxue/baoxue.db /etc/baoxue/secrets/baoxue.key").code == 0


def test_12_and_then_nothing_is_left(debian: Debian) -> None:
    follow(debian, "Uninstall", 1)
    left = debian.run("find / -xdev -name '*baoxue*' -not -path '/proc/*' -not -path '/root/*' -not -path '/var/log/*'")
    assert [line for line in left.out.splitlines() if "/systemd/" not in line] == []
    assert debian.run("id baoxue").code != 0
