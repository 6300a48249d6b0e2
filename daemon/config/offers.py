"""Tables whose keys a provider declares: one model of all keys of all providers, one of which is chosen by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, Strict, create_model

from daemon.config.network import Reaching
from daemon.config.table import Table
from daemon.config.values import Count, Headers, Lasting, Text, Url, Variable, quoted, refusal
from daemon.problems import choose
from notifiers.phrases import KINDS
from notifiers.provider import Key, Provider, keys_of
from notifiers.sms.facts import FACTS
from notifiers.sms.templates import Parameter, Template


def _kind(name: str) -> str:
    if name not in KINDS:
        raise refusal(f"{quoted(name)} is no kind of message", choose(name, KINDS))
    return name


def _fact(name: str) -> str:
    if name.endswith("_url"):
        raise refusal(f"{quoted(name)} is a web address", "providers take none in a variable; let people call back")
    if name not in FACTS:
        raise refusal(f"{quoted(name)} is no fact a variable can be filled with", choose(name, sorted(FACTS)))
    return name


class ParameterConfig(Table):
    """One variable of an approved text."""

    fact: Annotated[str, AfterValidator(_fact)] = Field(description="what fills it", examples=['"case"'])
    name: Text | None = Field(
        default=None, description="what the provider's text calls it, if not as the fact", examples=['"case_no"']
    )
    longest: Annotated[Count, Field(ge=1)] | None = Field(
        default=None, description="the characters it has room for", examples=["20"]
    )


class TemplateConfig(Table):
    """`[[channels.sms.template]]`: one text the provider has approved."""

    id: Text = Field(description="the provider's number for it", examples=['"SMS_487120001"'])
    kinds: tuple[Annotated[str, AfterValidator(_kind)], ...] = Field(
        default=(), description="the messages it is for; none: all that no other one is for", examples=['["report"]']
    )
    language: Literal["zh", "en"] = Field(default="zh", description="its language")
    parameters: tuple[ParameterConfig, ...] = Field(
        default=(), description="its variables, in order", examples=['[{ fact = "case" }, { fact = "school" }]']
    )

    @property
    def template(self) -> Template:
        """As a channel takes it."""
        parameters = tuple(Parameter(one.fact, one.name or one.fact, one.longest) for one in self.parameters)
        return Template(self.id, self.kinds, self.language, parameters)


class Offered(Reaching):
    """A table of a provider's keys; which keys belong to which provider is looked at where the file is."""

    offers: ClassVar[Mapping[str, Provider]]

    provider: str

    @property
    def chosen(self) -> Provider:
        """The provider named."""
        return self.offers[self.provider]

    @property
    def settings(self) -> dict[str, Any]:
        """The keys of the provider named, as it takes them."""
        return {key.name: self._setting(key) for key in self.chosen.keys}

    def _setting(self, key: Key) -> Any:  # noqa: ANN401 - of whatever kind
        if key.kind == "network":
            return key.default  # whoever builds the channel knows the way
        if key.kind == "secret":
            secret = self.kept(key.name)
            return secret.get_secret_value() if secret else None
        value = getattr(self, key.name)
        return tuple(one.template for one in value) if key.kind == "templates" else value


_TYPES: Mapping[str, object] = {
    "text": Text,
    "words": str,
    "url": Url,
    "span": Lasting,
    "count": Annotated[Count, Field(ge=1)],
    "flag": Annotated[bool, Strict()],
    "headers": Headers,
    "names": dict[Text, Text],
    "texts": tuple[Text, ...],
    "folder": Text,
    "templates": tuple[TemplateConfig, ...],
}
_EMPTY: Mapping[str, object] = {"headers": {}, "names": {}, "texts": (), "templates": ()}


def offered_table(
    name: str, doc: str, offers: Mapping[str, Provider], *, of: str, default: str | None = None
) -> type[Offered]:
    """The table of a channel or endpoint with the keys of all its providers; `default` is taken where none is named.

    `of` begins the names of variables in examples.
    """
    fields: dict[str, Any] = {"provider": (Literal[tuple(offers)], _provider(default, next(iter(offers))))}
    keys = keys_of(list(offers.values()))
    for key in keys.values():
        if key.kind == "network":
            continue  # its keys are those of every table that is reached over HTTP
        fields |= _secret(key, of) if key.kind == "secret" else {key.name: _field(key)}
    table = create_model(name, __base__=Offered, __doc__=doc, **fields)
    table.offers = offers
    table.stems = tuple(key.name for key in keys.values() if key.kind == "secret")
    return table


def _provider(default: str | None, first: str) -> Any:  # noqa: ANN401 - a field
    if default is None:
        return Field(description="who carries the messages", examples=[f'"{first}"'])
    return Field(default=default, description="who carries the messages")


def _field(key: Key) -> tuple[object, Any]:
    kind: Any = Literal[key.choices] if key.choices else _TYPES[key.kind]
    default = _EMPTY.get(key.kind) if key.default is None else key.default
    examples = [key.example] if key.example else None
    told = Field(default=default, repr=not key.quiet, description=key.description, examples=examples)
    return (kind | None if default is None else kind), told


def _secret(key: Key, of: str) -> dict[str, Any]:
    word = f"BAOXUE_{of}_{key.name.upper()}"
    env = Field(default=None, repr=False, description=f"the variable with {key.description}", examples=[f'"{word}"'])
    file = key.example or f'"{key.name}.secret"'
    path = Field(default=None, repr=False, description=f"the file with {key.description}", examples=[file])
    return {f"{key.name}_env": (Variable | None, env), f"{key.name}_file": (Text | None, path)}
