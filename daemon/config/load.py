"""From a file to a Config: read, judge whole, and refuse with every problem at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from daemon.config.checks import promises
from daemon.config.credentials import Vault
from daemon.config.models import Config, Document
from daemon.config.source import Place, Source, dotted, read_source
from daemon.config.wording import Finding, findings
from daemon.problems import ConfigError, Problem


def load_config(path: Path, environ: Mapping[str, str] = MappingProxyType({})) -> Config:
    """The configuration in the file at `path`, whole and checked, with its secrets read from `environ` and files.

    Knows no roster and no rules: units of feeds and ladders of rules are checked where those are known.
    Raises ConfigError with every problem there is; none of them holds a secret.
    """
    source = read_source(path)
    vault = Vault(path.absolute().parent, environ)
    document = _document(source, vault)
    found = [*(document if isinstance(document, list) else ()), *promises(source.tree, vault)]
    if found or isinstance(document, list):
        raise ConfigError(_located(path, source, found))
    tables = {key: getattr(document, key) for key in Document.model_fields}
    country, network = document.service.dialled_from, document.network
    feeds = tuple(feed.within(country).over(network) for feed in document.feed)
    return Config(path=path, **{**tables, "feed": feeds})


def load_document(path: Path) -> Document:
    """The tables in the file at `path`, without its secrets and without looking at what else it promises.

    For commands that need its rules and ladders on a machine that has no secrets. Raises ConfigError.
    """
    source = read_source(path)
    try:
        return Document.model_validate(source.tree, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ConfigError(_located(path, source, findings(error))) from None


def _document(source: Source, vault: Vault) -> Document | list[Finding]:
    try:
        return Document.model_validate(source.tree, by_alias=True, by_name=False, context=vault)
    except ValidationError as error:
        return list(findings(error))


def _located(path: Path, source: Source, found: Iterable[Finding]) -> list[Problem]:
    """Findings as problems in the order of the file; of two about one place the first said is kept."""
    first: dict[Place, Finding] = {}
    for finding in found:
        first.setdefault(finding.place, finding)
    problems = [
        Problem(str(path), source.line(finding.place), dotted(finding.place), finding.fault, finding.hint)
        for finding in first.values()
    ]
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.key))
