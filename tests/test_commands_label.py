"""`switchboard label ...` as a person and as a machine call it."""

import json

import pytest
from typer.testing import CliRunner

from commands.label import app
from configs.errors import SwitchboardError

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def alone(var_dir, monkeypatch):
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "SWITCHBOARD_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_agreement_without_labels_says_so():
    shown = RUNNER.invoke(app, ["agreement"])
    assert shown.exit_code == 0
    assert "0 messages labelled" in shown.output
    assert "not known yet" in shown.output


def test_agreement_for_machines_is_json():
    found = json.loads(RUNNER.invoke(app, ["agreement", "--json"]).output)
    assert found["agreement"]["messages"] == 0
    assert found["live"]["accuracy"]["value"] is None


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["push"], "label up"),
        (["pull"], "label up"),
        (["setup"], "label up"),
        (["next", "10"], "--from FILE"),
        (["next", "10", "mix.coverge=1"], "did you mean"),
        (["suspects"], "label more first"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(words, remedy):
    result = RUNNER.invoke(app, words)
    assert isinstance(result.exception, SwitchboardError)
    assert remedy in str(result.exception)


def test_stopping_what_does_not_run_is_no_mistake():
    assert json.loads(RUNNER.invoke(app, ["down", "--json"]).output) == {"stopped": False}


@pytest.mark.xdist_group("labelstudio")
def test_pushing_and_pulling_from_the_command_line(team, label_studio, monkeypatch):
    team.set_up()
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", str(team.ledger.database.url))
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.account.token)
    project = f"project={team.labeling.project}"
    assert json.loads(RUNNER.invoke(app, ["push", project, "--json"]).output)["new"] == 4
    team.annotate("ann", "m-3", "abuse")
    assert json.loads(RUNNER.invoke(app, ["pull", project, "--json"]).output)["labels"] == 1
    assert json.loads(RUNNER.invoke(app, ["agreement", "--json"]).output)["shown"]["all"]["hits"] == 1
