"""Who is told, in which order, and by which channels."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr

from daemon.config.network import Reaching, Trusting
from daemon.config.offers import Offered, offered_table
from daemon.config.returned import BouncesConfig
from daemon.config.table import Keeper, Table
from daemon.config.values import Address, Duration, Host, Lasting, Port, Roles, Sender, Text, Url, Variable, once
from notifiers.provider import providers

Channel = Literal["sms", "email", "chat", "webhook"]

Notices = Annotated[tuple[Literal["failure", "delay", "success"], ...], AfterValidator(once("notice"))]

_seconds = dt.timedelta(seconds=1)
_minutes = dt.timedelta(minutes=1)
_hours = dt.timedelta(hours=1)


class RungConfig(Table):
    """One rung of a ladder: whom to tell, when, and unless what."""

    after: Duration = Field(description="how long after the report", examples=['"24h"'])
    unless: Literal["acknowledged", "acted"] | None = Field(
        default=None, description="what makes it needless", examples=['"acknowledged"']
    )
    repeat: Lasting | None = Field(default=None, description="how often it speaks again", examples=['"24h"'])
    until: Literal["acknowledged", "acted", "seen"] | None = Field(
        default=None,
        description="what ends that: somebody acknowledged, or acted, or the child is seen",
        examples=['"acted"'],
    )
    tell: Roles = Field(description="the roles to tell", examples=['["town_head", "education_director"]'])
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] = Field(
        description="the channels to try, best first", examples=['["sms", "email"]']
    )
    reach: Literal["first", "every"] = Field(
        default="first", description="whether one channel that reaches a recipient is enough"
    )
    fall_back: Lasting = Field(
        default=15 * _minutes, description="how long a channel may take until the next is tried", examples=['"15m"']
    )


class LadderConfig(Table):
    """`[[ladder]]`: who is told one after the other until somebody acknowledges."""

    id: Text = Field(description="the name rules give it", examples=['"statutory"'])
    acknowledged_by: Roles = Field(description="the roles whose word ends the climb", examples=['["town_government"]'])
    remind_after: Duration = Field(
        default=24 * _hours, description="when whoever acknowledged and did nothing is reminded; 0 is never"
    )
    lapses_after: Duration = Field(
        default=72 * _hours, description="when an acknowledgement followed by nothing is void; 0 is never"
    )
    rung: Annotated[tuple[RungConfig, ...], Field(min_length=1)] = Field(
        description="the rungs, in order",
        examples=['[{ after = "0h", tell = ["town_government"], channels = ["sms"] }]'],
    )


class EmailConfig(Trusting):
    """`[channels.email]`: one mail server."""

    stems: ClassVar[tuple[str, ...]] = ("password",)

    host: Host = Field(description="the mail server", examples=['"mail.example.org"'])
    port: Port = Field(default=587, description="its port")
    security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="how the connection is kept secret"
    )
    from_: Sender = Field(
        validation_alias="from", description="the sender", examples=['"控辍保学 <baoxue@example.org>"']
    )
    username: Text | None = Field(default=None, repr=False, description="the account there", examples=['"baoxue"'])
    password_env: Variable | None = Field(
        default=None, repr=False, description="the variable with its password", examples=['"BAOXUE_MAIL_PASSWORD"']
    )
    password_file: Text | None = Field(
        default=None, repr=False, description="the file with its password", examples=['"mail.password"']
    )
    timeout: Lasting = Field(
        default=300 * _seconds, description="how long one answer may take; some servers let strangers wait for minutes"
    )
    answer_timeout: Lasting = Field(
        default=600 * _seconds, description="how long the server may take to answer a whole mail, which filters look at"
    )
    bounce_to: Address | None = Field(
        default=None, description="the address mails come back to", examples=['"bounces@example.org"']
    )
    bounce_tag: Literal["+", "-", "="] | None = Field(
        default=None,
        description="what divides that address from each mail's id, where the server delivers such addresses",
        examples=['"+"'],
    )
    notify: Notices = Field(
        default=("failure", "delay"), description="what servers are asked to tell about a mail's fate"
    )
    bounces: BouncesConfig | None = Field(default=None, description="the box of that address")

    @property
    def password(self) -> SecretStr | None:
        """The account's password."""
        return self.kept("password")


if TYPE_CHECKING:
    SmsConfig = Offered
else:
    SmsConfig = offered_table(
        "SmsConfig", "`[channels.sms]`: who carries text messages.", providers("sms"), of="SMS", default="http"
    )

if TYPE_CHECKING:
    Robot = Offered
else:
    Robot = offered_table(
        "Robot", "`[channels.chat.endpoints.NAME]`: one robot in one group.", providers("chat"), of="HEDONG"
    )


class ChatConfig(Table):
    """`[channels.chat]`: group robots by the names contacts use for them."""

    endpoints: Annotated[dict[str, Robot], Field(min_length=1)] = Field(
        description="the robots by name",
        examples=['{ hedong = { provider = "wecom", url_file = "hedong.url" } }'],
    )


class Endpoint(Keeper):
    """`[channels.webhook.endpoints.NAME]`: one address that takes signed events."""

    stems: ClassVar[tuple[str, ...]] = ("secret",)

    url: Url = Field(repr=False, description="where events go", examples=['"https://edu.example.org/hook"'])
    secret_env: Variable | None = Field(
        default=None, repr=False, description="the variable with the signing secret", examples=['"BAOXUE_HOOK_SECRET"']
    )
    secret_file: Text | None = Field(
        default=None, repr=False, description="the file with the signing secret", examples=['"hook.secret"']
    )

    @property
    def secret(self) -> SecretStr | None:
        """The secret events are signed with; None only in one made by hand."""
        return self.kept("secret")


class WebhookConfig(Reaching):
    """`[channels.webhook]`: endpoints by the names contacts use for them."""

    stems: ClassVar[tuple[str, ...]] = ()

    endpoints: Annotated[dict[str, Endpoint], Field(min_length=1)] = Field(
        description="the endpoints by name",
        examples=['{ edu = { url = "https://edu.example.org/hook", secret_file = "hook.secret" } }'],
    )
    timeout: Lasting = Field(default=20 * _seconds, description="how long one answer may take")
    transport: Literal["requests", "curl"] = Field(
        default="requests", description="what carries them: requests, or libcurl for thousands at one instant"
    )


class ChannelsConfig(Table):
    """`[channels]`: the ways to reach people; a channel without its table does not exist."""

    email: EmailConfig | None = Field(default=None, description="mail")
    sms: SmsConfig | None = Field(default=None, description="SMS")
    chat: ChatConfig | None = Field(default=None, description="group robots")
    webhook: WebhookConfig | None = Field(default=None, description="webhooks")
