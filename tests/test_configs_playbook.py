"""The playbook covers the taxonomy: each label has a route and what its mistakes cost."""

from pathlib import Path

import pytest
import yaml

from configs.errors import SwitchboardError
from configs.paths import CONFIGS
from configs.playbook import load_playbook
from configs.taxonomy import load_taxonomy


def _changed(tmp_path: Path, change) -> Path:
    values = yaml.safe_load((CONFIGS / "playbook.yaml").read_text(encoding="utf-8"))
    change(values)
    path = tmp_path / "playbook.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_the_teams_are_those_of_the_taxonomy():
    playbook, taxonomy = load_playbook(), load_taxonomy()
    assert {label: playbook.segments[label].team for label in taxonomy.labels} == {
        segment.name: segment.team for segment in taxonomy.segments
    }


def test_requests_are_answered_within_the_hour_and_spam_by_nobody():
    playbook = load_playbook()
    assert playbook.segments["request"].respond_within_s == 3600
    assert playbook.segments["spam"].tier == 0 and playbook.segments["spam"].respond_within_s is None


@pytest.mark.parametrize("part", ["segments", "costs"])
def test_a_missing_or_unknown_label_is_named(tmp_path: Path, part: str):
    with pytest.raises(SwitchboardError, match=rf"{part}: missing \['fraud'\]"):
        load_playbook(_changed(tmp_path, lambda values: values[part].pop("fraud")))
    with pytest.raises(SwitchboardError, match=r"unknown \['gossip'\]"):
        load_playbook(_changed(tmp_path, lambda values: values[part].update(gossip=values[part]["spam"])))


def test_a_cost_must_be_above_nothing(tmp_path: Path):
    with pytest.raises(SwitchboardError, match=r"costs.fraud.missed"):
        load_playbook(_changed(tmp_path, lambda values: values["costs"]["fraud"].update(missed=0)))
