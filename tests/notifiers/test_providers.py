"""Providers: found by looking, asked for their keys, and added by one module, as docs/providers.md says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from daemon.config import load_config
from daemon.config.offers import offered_table
from notifiers.contract import DeliveryError, Notifier, Receipt
from notifiers.provider import NETWORK, TIMEOUT, Key, Now, Provider, Settings, found_in, keys_of, providers
from notifiers.sms.facts import FACTS
from tests.notifiers.letters import PHONE, WORDS, message, noon
from tests.phones import Answer, Arrival, HttpPhone, HttpRequest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "providers.md"
ALIKE = {"timeout": TIMEOUT.default, "network": NETWORK.default}


def written(name: str) -> str:
    """The module of that name on the page."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if f'name="{name}"' in block)


class Loft(HttpPhone):
    """The service the page's example speaks to."""

    path = "/fly"

    def fault(self, request: HttpRequest) -> Answer | None:
        return None if request.headers.get("x-password") == "coo" else Answer(403, {"flew": False, "why": "password"})

    def arrival(self, request: HttpRequest) -> Arrival:
        told = json.loads(request.body)
        return Arrival(told["to"], told["say"], told["ref"], request.at)


def build(settings: Settings, now: Now) -> Notifier:
    raise NotImplementedError


def test_those_that_ship_are_found_by_looking() -> None:
    assert list(providers("sms")) == ["aliyun", "gammu", "http", "tencent"]


def test_every_provider_shares_keys_only_where_they_mean_the_same() -> None:
    shared = keys_of(list(providers("sms").values()))["sign_name"]
    needs = {name: key.needed for name, one in providers("sms").items() for key in one.keys if key.name == shared.name}
    assert needs == {"aliyun": True, "tencent": True, "http": False}
    other = Key("timeout", "count", "how many pigeons")
    with pytest.raises(ValueError, match="provider b declares the key timeout unlike another does"):
        keys_of([Provider("a", (TIMEOUT,), build), Provider("b", (other,), build)])


def test_two_providers_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "twice"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("one", "two"):
        (package / f"{name}.py").write_text(written("pigeon"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="one name"):
        found_in("twice", [str(package)])


@pytest.mark.parametrize(
    "key", [key for one in providers("sms").values() for key in one.keys], ids=lambda key: key.name
)
def test_every_key_is_explained_and_has_an_example_or_a_default(key: Key) -> None:
    assert key.description
    assert key.example is not None or key.default is not None
    assert not key.needed or key.default is None


@pytest.fixture
def pigeon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The provider of the page, in a package of its own."""
    package = tmp_path / "birds"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "pigeon.py").write_text(written("pigeon"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "birds"]:
        monkeypatch.delitem(sys.modules, name)
    return found_in("birds", [str(package)])["pigeon"]


def test_the_provider_of_the_page_hands_over_and_tells_refusals_apart(pigeon: Provider) -> None:
    with Loft(usual=Answer(body={"flew": True, "ring": "r-7"})) as loft:
        channel = pigeon.build({"loft": loft.url, "password": "coo", **ALIKE}, noon)
        assert channel.send(message(PHONE)) == Receipt("r-7")
        loft.expects_only(PHONE, WORDS)
        for why, permanent in (("no such number", True), ("full", False)):
            loft.answers(Answer(body={"flew": False, "why": why}, taken=False))
            with pytest.raises(DeliveryError) as caught:
                channel.send(message(PHONE))
            assert caught.value.permanent is permanent
        channel.close()
        stranger = pigeon.build({"loft": loft.url, "password": "moo", **ALIKE}, noon)
        with pytest.raises(DeliveryError, match="did not fly"):
            stranger.send(message(PHONE))


def test_its_keys_become_a_table(pigeon: Provider) -> None:
    table = offered_table("BirdConfig", "`[channels.sms]`", {"pigeon": pigeon}, of="SMS", default="pigeon")
    made = table.model_validate({"loft": "https://loft.example.org/fly", "password_env": "COO"})
    assert made.settings == {
        "loft": "https://loft.example.org/fly",
        "password": None,
        "timeout": TIMEOUT.default,
        "network": NETWORK.default,
    }
    assert "loft.example.org" in repr(made)
    assert "COO" not in repr(made)


_CONFIGURED = """
import json, sys
from pathlib import Path
import notifiers.sms
notifiers.sms.__path__.append(sys.argv[1])
from daemon.config import ConfigError, load_config
from daemon.channels import build_notifiers
from notifiers.contract import Message
from tests.notifiers.letters import noon
try:
    config = load_config(Path(sys.argv[2]), {"COO": "coo"})
except ConfigError as error:
    print(json.dumps({problem.key: problem.fault for problem in error.problems}))
else:
    channel = build_notifiers(config, noon)["sms"]
    print(channel.send(Message("m-1", "sms", "+8613800001234", None, "words")).provider_id)
"""


def configured(tmp_path: Path, table: str) -> str:
    """What a house with the page's module beside ours makes of a `[channels.sms]`."""
    modules = tmp_path / "modules"
    modules.mkdir(exist_ok=True)
    (modules / "pigeon.py").write_text(written("pigeon"), encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(
        '[service]\ndistrict = "610999"\n[calendar]\nterms = [{ from = 2026-03-02, to = 2026-07-10 }]\n'
        'sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }]\n[channels.sms]\n' + table,
        encoding="utf-8",
    )
    run = [sys.executable, "-c", _CONFIGURED, str(modules), str(path)]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=False)  # noqa: S603 - this interpreter
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_one_module_is_all_that_is_needed(tmp_path: Path) -> None:
    with Loft(usual=Answer(body={"flew": True, "ring": "r-8"})) as loft:
        table = f'provider = "pigeon"\nloft = "{loft.url}"\npassword_env = "COO"\n'
        assert configured(tmp_path, table) == "r-8"
        loft.expects_only(PHONE, "words")


def test_its_keys_are_asked_for_and_refused_to_others(tmp_path: Path) -> None:
    told: dict[str, Any] = json.loads(configured(tmp_path, 'provider = "pigeon"\nmethod = "GET"\n'))
    assert told == {
        "channels.sms.loft": "is missing for the provider pigeon",
        "channels.sms.password_file": "is missing, and so is password_env",
        "channels.sms.method": "is a key of the provider http, not of pigeon",
    }


def test_the_pages_examples_of_configuration_load(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        path = tmp_path / "config.toml"
        path.write_text(
            '[service]\ndistrict = "610999"\ncallback = "0911-1234567"\n'
            "[calendar]\nterms = [{ from = 2026-03-02, to = 2026-07-10 }]\n"
            'sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }]\n'
            '[[ladder]]\nid = "statutory"\nacknowledged_by = ["town_government"]\n'
            '[[ladder.rung]]\nafter = "0h"\ntell = ["town_government"]\nchannels = ["sms"]\n' + block,
            encoding="utf-8",
        )
        for name in ("aliyun.secret", "sms.receipts"):
            (tmp_path / name).write_text("word", encoding="utf-8")
        load_config(path, {})


def test_the_page_names_every_fact_and_every_provider() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [fact for fact in FACTS if f"`{fact}`" not in page] == []
    assert [name for name in providers("sms") if f"| `{name}` |" not in page] == []
