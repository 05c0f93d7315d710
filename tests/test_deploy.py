"""What is deployed names only what exists: series of the service, and versions of the lock."""

import json
import re
import tomllib
from pathlib import Path

import yaml

from serving.metrics import Metrics

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
SERIES = {
    f"{metric.name}{suffix}"
    for metric in Metrics().registry.collect()
    for suffix in ("", "_total", "_bucket", "_sum", "_count")
}


def named(text: str) -> set[str]:
    return set(re.findall(r"switchboard_\w+", text))


def test_the_dashboard_reads_series_that_exist():
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert expressions and not named(" ".join(expressions)) - SERIES


def test_the_alerts_read_series_that_exist_and_say_what_to_do():
    rules = [
        rule for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
    ]
    for rule in rules:
        assert not named(rule["expr"]) - SERIES
        assert {"summary", "action"} <= set(rule["annotations"])


def test_the_bentos_requirements_are_the_projects_for_serving_pinned_by_the_lock():
    root = DEPLOY.parent
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = {plain(line) for line in [*project["dependencies"], *extras["serve"], *extras["postgres"]]}
    pinned = (DEPLOY / "requirements.txt").read_text().splitlines()[1:]
    assert needed <= {plain(line) for line in pinned}
    assert set(pinned) <= set((root / "requirements.lock").read_text().splitlines())


def plain(requirement: str) -> str:
    return re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-")
