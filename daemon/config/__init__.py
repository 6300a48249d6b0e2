"""The configuration: one TOML file, read whole, refused whole with every problem in it, or believed."""

from daemon.config.credentials import FieldKey, SecretError, read_secret
from daemon.config.duty import DutyConfig, SubstituteConfig
from daemon.config.load import load_config
from daemon.config.mapping import MappingConfig, Origin
from daemon.config.models import BackupConfig, Config, ConsoleConfig, PrivacyConfig
from daemon.config.network import NetworkConfig, Reaching, Trusting
from daemon.config.pace import HoursConfig, PacingConfig, ThrottleConfig
from daemon.config.restart import in_force
from daemon.config.returned import BouncesConfig, HeartbeatConfig
from daemon.config.school import CalendarConfig, ServiceConfig, SessionConfig, Term, UnitCalendar
from daemon.config.sources import FeedConfig, RulesConfig
from daemon.config.speech import (
    ChannelsConfig,
    ChatConfig,
    EmailConfig,
    Endpoint,
    LadderConfig,
    RungConfig,
    SmsConfig,
    WebhookConfig,
)
from daemon.problems import ConfigError, Problem

__all__ = [
    "BackupConfig",
    "BouncesConfig",
    "CalendarConfig",
    "ChannelsConfig",
    "ChatConfig",
    "Config",
    "ConfigError",
    "ConsoleConfig",
    "DutyConfig",
    "EmailConfig",
    "Endpoint",
    "FeedConfig",
    "FieldKey",
    "HeartbeatConfig",
    "HoursConfig",
    "LadderConfig",
    "MappingConfig",
    "NetworkConfig",
    "Origin",
    "PacingConfig",
    "PrivacyConfig",
    "Problem",
    "Reaching",
    "RulesConfig",
    "RungConfig",
    "SecretError",
    "ServiceConfig",
    "SessionConfig",
    "SmsConfig",
    "SubstituteConfig",
    "Term",
    "ThrottleConfig",
    "Trusting",
    "UnitCalendar",
    "WebhookConfig",
    "in_force",
    "load_config",
    "read_secret",
]
