"""Secrets: found where they are named, shown nowhere, refused without being repeated."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.config import Config, ConfigError, load_config, read_secret
from daemon.config.credentials import SecretError
from tests.daemon.config_sample import ENVIRON, Page, furnish, tree

MINIMAL = """
[service]
district = "610999"
[calendar]
terms = [{ from = 2026-03-02, to = 2026-07-10 }]
sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }]
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    furnish(tmp_path)

    def writing(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return writing


@pytest.fixture(params=["env", "file"])
def sample(request: pytest.FixtureRequest, write: Callable[[str], Path]) -> Config:
    """The whole sample, its secrets from the environment or from files."""
    return load_config(write(Page(tree(request.param)).text), ENVIRON)


def faults(path: Path, environ: dict[str, str] | None = None) -> dict[str, str]:
    with pytest.raises(ConfigError) as refusal:
        load_config(path, environ or {})
    return {problem.key: problem.fault for problem in refusal.value.problems}


def test_secrets_are_in_hand(sample: Config) -> None:
    assert sample.channels.email is not None
    assert sample.channels.sms is not None
    assert sample.channels.webhook is not None
    secrets = (
        sample.feed[1].token,
        sample.channels.email.password,
        sample.channels.sms.kept("token"),
        sample.channels.webhook.endpoints["edu"].secret,
    )
    assert [secret.get_secret_value() for secret in secrets if secret is not None] == [
        ENVIRON[name] for name in ("FEED_TOKEN", "MAIL_PASSWORD", "SMS_TOKEN", "HOOK_SECRET")
    ]


def test_the_first_key_is_the_current_one(sample: Config) -> None:
    assert [(one.id, one.key.get_secret_value()) for one in sample.privacy.keys] == [
        ("k2", b"2" * 32),
        ("k1", b"1" * 32),
    ]


def test_no_secret_shows_in_the_representation(sample: Config) -> None:
    shown = f"{sample!r} {sample} {sample.privacy.keys} {sample.feed[1].token}"
    assert not re.search("of-the-sample|KEYS|FEED_TOKEN|127.0.0.1:9902", shown)
    assert base64.b64encode(b"2" * 32).decode() not in shown
    assert "22222222" not in shown


def test_a_password_in_the_database_url_does_not_show(write: Callable[[str], Path]) -> None:
    text = MINIMAL.replace("[calendar]", 'database = "postgresql://baoxue:hunter2@127.0.0.1/db"\n[calendar]')
    config = load_config(write(text))
    assert config.database_url == config.service.database
    assert "hunter2" not in f"{config!r}"


def test_a_configuration_with_another_secret_is_another_configuration(write: Callable[[str], Path]) -> None:
    path = write(Page(tree("env")).text)
    assert load_config(path, ENVIRON) == load_config(path, ENVIRON)
    assert load_config(path, ENVIRON) != load_config(path, {**ENVIRON, "SMS_TOKEN": "another"})


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "holds nothing"),
        ("\n\n", "holds nothing"),
        ("# no key\n", "holds no key"),
        ("hunter2\n", "holds no key in its line 1"),
        ("k1:hunter2\n", "holds a key that is not base64 in its line 1"),
        ("k1:aHVudGVyMg==\n", "holds a key of 7 bytes in its line 1, not 32"),
        (ENVIRON["KEYS"] + "\n\nk3;hunter2", "holds no key in its line 4"),
        (ENVIRON["KEYS"].replace("k1", "k2"), "holds two keys of one id"),
    ],
)
def test_a_malformed_key_file_is_refused_without_showing_it(
    write: Callable[[str], Path], tmp_path: Path, content: str, fault: str
) -> None:
    (tmp_path / "baoxue.key").write_text(content, encoding="utf-8")
    assert faults(write(MINIMAL + '[privacy]\nkey_file = "baoxue.key"\n')) == {"privacy.key_file": fault}


def test_a_key_file_that_everybody_may_read_is_refused(write: Callable[[str], Path], tmp_path: Path) -> None:
    path = write(MINIMAL + '[privacy]\nkey_file = "baoxue.key"\n')
    (tmp_path / "baoxue.key").chmod(0o644)
    assert faults(path) == {"privacy.key_file": "names a key file that everybody may read"}
    (tmp_path / "baoxue.key").chmod(0o640)
    assert load_config(path).privacy.keys


def test_an_empty_variable_is_no_secret(write: Callable[[str], Path]) -> None:
    told = faults(write(Page(tree("env")).text), {**ENVIRON, "SMS_TOKEN": " "})
    assert told == {"channels.sms.token_env": "holds nothing"}


def test_a_secret_that_is_not_text_is_refused(write: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "sms.token").write_bytes(b"\xff\xfe\x00")
    assert faults(write(Page(tree("file")).text)) == {"channels.sms.token_file": "names a file that is not UTF-8 text"}


def test_a_secret_file_may_be_a_systemd_credential(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "hook").write_text("word\n", encoding="utf-8")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert read_secret(tmp_path, environ, None, "hook") == "word"
    (tmp_path / "hook").write_text("nearer", encoding="utf-8")
    assert read_secret(tmp_path, environ, None, "hook") == "nearer"


@pytest.mark.parametrize("file", ["nowhere", "x" * 5000, "file\0name", "."])
def test_a_secret_that_cannot_be_had_is_told_without_its_name(tmp_path: Path, file: str) -> None:
    with pytest.raises(SecretError) as refusal:
        read_secret(tmp_path, {}, None, file)
    assert file == "." or file not in f"{refusal.value} {refusal.value.hint}"


def test_a_secret_has_to_be_named() -> None:
    with pytest.raises(SecretError, match="is not given"):
        read_secret(Path(), {}, None, None)
