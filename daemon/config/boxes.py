"""What a box for bounces needs by its kind, and that a heartbeat's address is one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from daemon.config.credentials import SecretError
from daemon.config.scene import Scene
from daemon.config.wording import Finding, wanted

_OF_IMAP = ("host", "port", "security", "username", "password_env", "password_file", "folder", "timeout", "ca_file")


def reachable(scene: Scene) -> Iterator[Finding]:
    """A Maildir has a path and nothing of a server's; an IMAP box has a server, an account and its password."""
    kind = scene.text("kind")
    if kind == "maildir":
        if "path" not in scene.table:
            yield scene.found("path", "is missing in a box of kind maildir", wanted((*scene.place, "path")))
        for key in _OF_IMAP:
            if key in scene.table:
                yield scene.found(key, "is no use to a Maildir", 'leave it out, or write kind = "imap"')
    if kind == "imap":
        if "path" in scene.table:
            yield scene.found("path", "is no use to an IMAP box", 'leave it out, or write kind = "maildir"')
        for key in ("host", "username"):
            if key not in scene.table:
                yield scene.found(key, "is missing in a box of kind imap", wanted((*scene.place, key)))
        if not {"password_env", "password_file"} & scene.table.keys():
            key = "password_file"
            yield scene.found(key, "is missing, and so is password_env", wanted((*scene.place, key)))


def pingable(scene: Scene) -> Iterator[Finding]:
    """The address can be had, and is one."""
    key = next((one for one in ("url_env", "url_file") if one in scene.table), None)
    if key is None:
        yield scene.found("url_file", "is missing, and so is url_env", wanted((*scene.place, "url_file")))
        return
    source = (scene.text(key), None) if key == "url_env" else (None, scene.text(key))
    try:
        url = scene.vault.take(*source).get_secret_value() if any(source) else ""
    except SecretError:
        return
    if url and not _is_address(url):
        yield scene.found(key, "holds no address", "write the whole https:// address there, and nothing else")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and url == url.strip() and parts.port != 0
    except ValueError:
        return False
