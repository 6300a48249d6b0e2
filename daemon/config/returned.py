"""Where mails that come back are read, and who watches the daemon from outside."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from daemon.config.network import Reaching, Trusting
from daemon.config.values import Host, Lasting, Port, Text, Variable


class BouncesConfig(Trusting):
    """`[channels.email.bounces]`: the box that mails come back to, a Maildir or a folder of an IMAP server."""

    stems: ClassVar[tuple[str, ...]] = ("password",)

    kind: Literal["maildir", "imap"] = Field(description="what the box is", examples=['"imap"'])
    path: Text | None = Field(
        default=None, description="the folder of the Maildir", examples=['"/var/mail/baoxue/Maildir"']
    )
    host: Host | None = Field(default=None, description="the IMAP server", examples=['"imap.example.org"'])
    port: Port = Field(default=993, description="its port")
    security: Literal["none", "starttls", "tls"] = Field(default="tls", description="how the connection is kept secret")
    username: Text | None = Field(default=None, repr=False, description="the account there", examples=['"bounces"'])
    password_env: Variable | None = Field(
        default=None, repr=False, description="the variable with its password", examples=['"BAOXUE_BOUNCES_PASSWORD"']
    )
    password_file: Text | None = Field(
        default=None, repr=False, description="the file with its password", examples=['"bounces.password"']
    )
    folder: Text = Field(default="INBOX", description="the folder of the account")
    timeout: Lasting = Field(default=dt.timedelta(seconds=20), description="how long one step may take")

    @property
    def password(self) -> SecretStr | None:
        """The account's password."""
        return self.kept("password")


class HeartbeatConfig(Reaching):
    """`[heartbeat]`: whoever is to notice from outside when the daemon falls silent or stops doing its work."""

    stems: ClassVar[tuple[str, ...]] = ("url",)

    url_env: Variable | None = Field(
        default=None, repr=False, description="the variable with the address", examples=['"BAOXUE_HEARTBEAT_URL"']
    )
    url_file: Text | None = Field(
        default=None, repr=False, description="the file with the address", examples=['"heartbeat.url"']
    )
    every: Lasting = Field(default=dt.timedelta(minutes=5), description="how often it is pinged")
    method: Literal["GET", "POST", "HEAD"] = Field(default="GET", description="the HTTP method")

    @property
    def url(self) -> SecretStr | None:
        """The address, which is as good as a key; None only in one made by hand."""
        return self.kept("url")
