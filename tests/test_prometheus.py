"""The alert rules for Prometheus: it takes them, they fire when they should, and speak of figures that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.metrics import Metrics

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "deploy/prometheus/alerts.yml"
GUIDE = ROOT / "docs/metrics.md"
PROMTOOL = shutil.which("promtool")
NAME = re.compile(r"\bbaoxue_[a-z_]+")
PARTS = re.compile(r"_(total|bucket|count|sum)$")


def figures() -> set[str]:
    """The names of all figures, without what their kind adds."""
    counted = {family.name for family in Metrics().registry.collect()}
    asked = (ROOT / "daemon/console/figures.py").read_text(encoding="utf-8")
    gauges = re.findall(r'_gauge\(\s*"(\w+)"|name = "(\w+)"', asked)
    return counted | {f"baoxue_{one or other}" for one, other in gauges}


def named_in(text: str) -> set[str]:
    return {PARTS.sub("", name) for name in NAME.findall(text)}


def test_the_alert_rules_speak_of_figures_that_there_are() -> None:
    assert named_in(RULES.read_text(encoding="utf-8")) <= figures()


def test_the_guide_explains_every_figure_and_no_other() -> None:
    assert named_in(GUIDE.read_text(encoding="utf-8")) == figures()


def test_every_alert_rule_has_its_test_and_says_what_to_do() -> None:
    rules = RULES.read_text(encoding="utf-8")
    alerts = re.findall(r"- alert: (\w+)", rules)
    tests = RULES.with_name("alerts_test.yml").read_text(encoding="utf-8")
    assert len(alerts) == len(set(alerts))
    for alert in alerts:
        said = rules.split(f"- alert: {alert}\n")[1].split("- alert:")[0]
        assert re.search(r"severity: (critical|warning)", said), alert
        assert re.search(r"summary: .*[\u4e00-\u9fff]", said), alert
        assert "description: " in said, alert
        assert re.search(rf"alertname=\"{alert}\", alertstate=\"firing\", ", tests), alert


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_takes_the_alert_rules_and_they_fire_when_they_should() -> None:
    assert PROMTOOL is not None
    for line in (["check", "rules", RULES.name], ["test", "rules", "alerts_test.yml"]):
        ran = subprocess.run([PROMTOOL, *line], cwd=RULES.parent, capture_output=True, text=True, check=False)  # noqa: S603 - Debian's
        assert ran.returncode == 0, ran.stdout + ran.stderr
