"""PostgreSQL behind a real PgBouncer in transaction mode: nothing is kept from one transaction to the next."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from daemon.store import timers
from daemon.store.engine import Store, open_store
from daemon.store.keys import Keyring
from daemon.store.tx import Tx, take_numbers
from tests.conftest import DISTRICT
from tests.daemon.clockwork.running import until
from tests.daemon.desk.county_office import Office, write_county
from tests.postgres import Postgres

HOST = "127.0.0.1"
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")

_SETTINGS = """[databases]
* = {server}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 50
logfile = {folder}/log
pidfile = {folder}/pid
"""


@pytest.fixture
def bouncer_url(postgres: Postgres, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database, without tables, behind PgBouncer with two connections for everybody."""
    assert PGBOUNCER is not None
    direct = sa.make_url(postgres.empty_database())
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "bouncer"
    folder.mkdir()
    settings = folder / "pgbouncer.ini"
    server = {"host": direct.host or direct.query.get("host"), "port": direct.port, "user": direct.username}
    server["password"] = direct.password or None
    words = " ".join(f"{key}={value}" for key, value in server.items() if value)
    settings.write_text(_SETTINGS.format(server=words, host=HOST, port=port, folder=folder), encoding="utf-8")
    command = [PGBOUNCER, "-q", str(settings)]
    if os.geteuid() == 0:  # which it refuses to run as
        user = _owner(server["host"])
        for path in (folder, settings):
            shutil.chown(path, user)
        for parent in folder.parents:
            if parent.is_relative_to("/tmp/pytest-of-root") or parent.name.startswith("pytest"):  # noqa: S108 - pytest's own
                parent.chmod(0o755)
        command[1:1] = ["-u", user]
    with subprocess.Popen(command, stdout=sys.stderr, stderr=sys.stderr) as running:  # noqa: S603 - the system's own
        try:
            until(lambda: _answers(port), within=20)
            shown = direct.set(drivername="postgresql", host=HOST, port=port, query={})
            yield shown.render_as_string(hide_password=False)
        finally:
            running.terminate()
    postgres.drop(str(direct))


def _owner(host: object) -> str:
    """The user a server runs as whose socket lies in a folder; else somebody without rights."""
    folder = Path(str(host))
    return pwd.getpwuid(folder.stat().st_uid).pw_name if folder.is_dir() and folder.stat().st_uid else "nobody"


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def store(bouncer_url: str, keyring: Keyring, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(bouncer_url, DISTRICT, keyring, state_dir=tmp_path)
    opened.upgrade()
    yield opened
    opened.close()


def test_many_threads_share_few_connections(store: Store) -> None:
    def work(tx: Tx) -> int:
        timers.next_due(tx)
        return take_numbers(tx, "of a test", 1)

    with ThreadPoolExecutor(8) as workers:
        numbers = list(workers.map(lambda _: store.commit(work), range(200)))
    assert sorted(numbers) == list(range(1, 201))


def test_a_child_is_reported_and_backed_up(store: Store, tmp_path: Path) -> None:
    write_county(tmp_path)
    office = Office(tmp_path, store)
    number = office.report()
    assert office.case(number).is_open
    store.backup(tmp_path / "kept.db")
    assert (tmp_path / "kept.db").stat().st_size > 0
