"""Where records come from, and the rules and figures they are judged by."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, SecretStr, model_validator

from daemon.config.mapping import MappingConfig
from daemon.config.network import NetworkConfig, Reaching
from daemon.config.table import Table
from daemon.config.values import Count, Duration, HoldShare, Id, Lasting, Packs, Share, Text, Url, Variable
from notifiers.network import DIRECT, Network

Records = Literal["units", "students", "contacts", "marks", "punches", "leaves", "movements"]

_seconds = dt.timedelta(seconds=1)
_minutes = dt.timedelta(minutes=1)
_hours = dt.timedelta(hours=1)
_days = dt.timedelta(days=1)


class FeedConfig(Reaching):
    """`[[feed]]`: one source of records, and what it owes."""

    stems: ClassVar[tuple[str, ...]] = ("token",)

    _country: str | None = PrivateAttr(default=None)
    _network: Network = PrivateAttr(default=DIRECT)

    id: Text = Field(description="the feed's name in journal and logs", examples=['"marks"'])
    kind: Literal["file", "http", "edfi"] = Field(description="where the records come from", examples=['"file"'])
    records: Records = Field(description="what the records are", examples=['"marks"'])
    path: Text | None = Field(
        default=None, description="the files, relative to this one", examples=['"inbox/marks*.csv"']
    )
    url: Url | None = Field(
        default=None,
        repr=False,
        description="the document of an http feed",
        examples=['"https://sis.example.org/marks.csv"'],
    )
    poll: Lasting = Field(default=5 * _minutes, description="how often it is asked")
    units: tuple[Id, ...] = Field(
        default=(), description="the units whose rolls it owes", examples=['["sch-1", "sch-2"]']
    )
    presence: Literal["explicit", "implied"] = Field(
        default="explicit", description="whether children it does not name are there"
    )
    stale_after: Lasting = Field(default=2 * _hours, description="session time after which it is silent")
    rank: Count = Field(default=1, description="which of two feeds is believed, the higher one")
    mapping: MappingConfig = Field(
        default=MappingConfig(),
        description="how its own words are read",
        examples=['{ columns = { "学号" = "student_id" } }'],
    )
    hold_when_missing: HoldShare = Field(
        default=0.2, description="the share of a roster whose lack holds a delivery, 0 for never"
    )
    encoding: Literal["auto", "utf-8", "gb18030"] = Field(default="auto", description="the encoding of its text")
    format: Literal["auto", "csv", "xlsx", "jsonl"] = Field(default="auto", description="the form of its tables")
    timeout: Lasting = Field(default=30 * _seconds, description="how long one answer may take")
    max_bytes: Annotated[Count, Field(ge=1)] = Field(
        default=256 * 1024 * 1024, description="the longest delivery taken"
    )
    token_env: Variable | None = Field(
        default=None,
        repr=False,
        description="the variable with an http feed's bearer token",
        examples=['"BAOXUE_FEED_TOKEN"'],
    )
    token_file: Text | None = Field(
        default=None, repr=False, description="the file with an http feed's bearer token", examples=['"feed.token"']
    )

    @property
    def token(self) -> SecretStr | None:
        """The bearer token of an http feed."""
        return self.kept("token")

    @property
    def country(self) -> str | None:
        """The country of telephone numbers without a country code; "" where nobody can tell, None if made by hand."""
        return self._country

    def within(self, country: str | None) -> Self:
        """Return the feed with `country` as that of its telephone numbers without a country code; None: unknown."""
        feed = self.model_copy()
        feed._country = country or ""  # noqa: SLF001 - a copy of this one
        return feed

    @property
    def network(self) -> Network:
        """The way to its address; the system's authorities and no proxy if made by hand."""
        return self._network

    def over(self, network: NetworkConfig, said: Self | None = None) -> Self:
        """Return the feed reached by `network`, and as `said` has it: the same feed, perhaps written otherwise."""
        said = said or self
        feed = self.model_copy(update={"ca_file": said.ca_file, "proxy": said.proxy})
        feed._certificates = said._certificates  # noqa: SLF001 - a copy of this one
        feed._network = network.reach(feed)  # noqa: SLF001 - likewise
        return feed


_EARLIER_NAMES = {"storm_share": "mass_absence_share", "storm_hold": "mass_absence_hold"}


class RulesConfig(Table):
    """`[rules]`: rules beside those that ship, and the figures every rule shares."""

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, values: object) -> object:
        """Take the two figures of a mass absence also under the names they had before."""
        if not isinstance(values, dict):
            return values
        names = {old: new for old, new in _EARLIER_NAMES.items() if new not in values}
        return {names.get(key, key): value for key, value in values.items()}

    packs: Packs = Field(
        default=("statutory",), description="packs of rules that ship", examples=['["statutory", "at-risk"]']
    )
    files: tuple[Text, ...] = Field(
        default=(), description="rule files, relative to this one", examples=['["rules.toml"]']
    )
    wait_for_roll: Duration = Field(
        default=60 * _minutes, description="how long a due report waits for a roll under way"
    )
    unconfirmed_after: Lasting = Field(default=4 * _hours, description="session time an unanswered question may take")
    run_break: Lasting = Field(default=10 * _days, description="the longest gap of holes within one run")
    mass_absence_share: Share = Field(default=0.5, description="the share of children absent that makes a mass absence")
    mass_absence_hold: Duration = Field(
        default=24 * _hours, description="how long an unjudged mass absence holds reports"
    )
