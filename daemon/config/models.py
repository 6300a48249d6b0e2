"""The whole file, key by key: frozen values, each with its default and one sentence.

A model judges its own keys only; what one section promises another is checked in `daemon.config.checks`.
The attribute of a key is its name in the file, but for `from`, which is `from_`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr

from daemon.config.credentials import FieldKey, Vault
from daemon.config.duty import DutyConfig
from daemon.config.network import NetworkConfig
from daemon.config.pace import HoursConfig, PacingConfig
from daemon.config.returned import HeartbeatConfig
from daemon.config.school import CalendarConfig, ServiceConfig
from daemon.config.sources import FeedConfig, RulesConfig
from daemon.config.speech import ChannelsConfig, LadderConfig
from daemon.config.table import Table
from daemon.config.values import Count, Lasting, Listen, PublicUrl, Text, Variable, listening


class PrivacyConfig(Table):
    """`[privacy]`: the keys for what is encrypted at rest."""

    key_file: Text | None = Field(
        default=None, repr=False, description="the file with the keys", examples=['"baoxue.key"']
    )
    key_env: Variable | None = Field(
        default=None, repr=False, description="the variable with the keys", examples=['"BAOXUE_KEYS"']
    )
    _keys: tuple[FieldKey, ...] = PrivateAttr(default=())

    def model_post_init(self, context: object, /) -> None:
        """Take the keys out of the vault that comes with a file."""
        if isinstance(context, Vault) and (self.key_env or self.key_file):
            self._keys = context.keys(self.key_env, self.key_file)

    @property
    def keys(self) -> tuple[FieldKey, ...]:
        """The keys, the first of them current; none where nothing is configured."""
        return self._keys


class ConsoleConfig(Table):
    """`[console]`: the daemon's own door."""

    listen: Listen = Field(default="127.0.0.1:8080", description="address and port of health, metrics and links")
    public_url: PublicUrl = Field(default="http://127.0.0.1:8080", description="what links in messages begin with")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on; port 0 means any free one."""
        return listening(self.listen)


class BackupConfig(Table):
    """`[backup]`: the scheduled backups that `baoxue db backup --scheduled` writes, and when one is overdue."""

    folder: Text = Field(description="the folder they are written to", examples=['"/var/backups/baoxue"'])
    keep: Annotated[Count, Field(ge=1)] = Field(default=14, description="how many are kept")
    overdue_after: Lasting = Field(
        default=dt.timedelta(hours=26), description="how old the newest may be before the operator is told"
    )


class Document(Table):
    """The whole file."""

    service: ServiceConfig = Field(description="whose daemon this is")
    calendar: CalendarConfig = Field(description="when children are expected")
    feed: tuple[FeedConfig, ...] = Field(default=(), description="the sources of records")
    rules: RulesConfig = Field(default=RulesConfig(), description="rules beside those that ship, and their figures")
    ladder: tuple[LadderConfig, ...] = Field(default=(), description="who is told, one after the other")
    duty: tuple[DutyConfig, ...] = Field(default=(), description="who takes turns in a role")
    hours: tuple[HoursConfig, ...] = Field(default=(), description="when recipients are spoken to")
    pacing: PacingConfig = Field(default=PacingConfig(), description="how much is told at once, and how often")
    network: NetworkConfig = Field(default=NetworkConfig(), description="how feeds and channels are reached")
    channels: ChannelsConfig = Field(default=ChannelsConfig(), description="the ways to reach people")
    privacy: PrivacyConfig = Field(default=PrivacyConfig(), description="the keys for what is encrypted at rest")
    console: ConsoleConfig = Field(default=ConsoleConfig(), description="the daemon's own door")
    backup: BackupConfig | None = Field(default=None, description="the scheduled backups")
    heartbeat: HeartbeatConfig | None = Field(default=None, description="who watches the daemon from outside")


class Config(Document):
    """A whole, checked configuration with its secrets in hand; what the rest of the daemon is built from."""

    path: Path
    """The file, as the operator named it."""

    @property
    def base(self) -> Path:
        """The folder of the file, which relative paths begin in; absolute."""
        return self.path.absolute().parent

    @property
    def database_url(self) -> str:
        """`service.database` with a relative SQLite file made absolute, from the folder of the configuration."""
        scheme, slashes, file = self.service.database.partition(":///")
        if scheme != "sqlite" or not slashes or Path(file).is_absolute():
            return self.service.database
        return f"sqlite:///{self.base / file}"
