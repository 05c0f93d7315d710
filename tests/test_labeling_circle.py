"""The whole circle, nothing in place of anything: served, chosen, labelled by two, pulled, retrained, promoted, served."""

import json
import uuid
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from commands.label import app as label_app
from commands.models import app as models_app
from configs.labeling import load_labeling
from configs.taxonomy import NONE
from data.ledger import open_ledger
from labeling.client import Client
from tests.labelstudio import wait_until
from tests.processes import Service, command, serving
from tests.tiny_base import tiny_recipe, tiny_rows
from training.publish import publish

pytestmark = pytest.mark.xdist_group("labelstudio")

TITLE = f"Circle {uuid.uuid4().hex[:8]}"
PROJECT = f"project={TITLE}"
ROWS = {row.message.id: row for row in tiny_rows(2, seed=5, prefix="c")}
SLIPS = {"c-praise-0", "c-lead-0"}  # where the second labeler says `none`


@pytest.fixture
def settled(label_studio, registry, var_dir, tiny_bundle, monkeypatch):
    """Settle the environment of commands and processes: a champion "0" and the server."""
    monkeypatch.delenv("SWITCHBOARD_DATABASE_URL", raising=False)
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.account.token)
    publish(tiny_bundle, "0", var_dir / "published")


def run(app, *words: str) -> dict:
    """Return what a command says to machines."""
    result = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_what_two_labelers_say_becomes_the_model_that_answers(settled, labelers, var_dir, tiny_base, tmp_path):
    with serving(var_dir) as service:
        classify(service, [row.message.text for row in ROWS.values()], list(ROWS))
        with open_ledger() as ledger:
            wait_until(lambda: sum(1 for _ in ledger.decisions.all()) == len(ROWS))
        assert run(label_app, "next", str(len(ROWS)), PROJECT, "mix.audit=0")["chosen"] == len(ROWS)
        assert run(label_app, "setup", PROJECT)["setup"] == "made"
        assert run(label_app, "push", PROJECT)["new"] == len(ROWS)
        assert run(label_app, "push", PROJECT)["new"] == 0

        given = label_everything(labelers)
        assert counts(run(label_app, "pull", PROJECT)) == (2 * len(ROWS) - 1, 1, 0)
        assert counts(run(label_app, "pull", PROJECT)) == (0, 0, 0)
        labelers["ann"].patch(f"/api/annotations/{given['ann', 'c-fraud-0']}/", {"result": says("spam")})
        labelers["ben"].delete(f"/api/annotations/{given['ben', 'c-spam-0']}/")
        assert counts(run(label_app, "pull", PROJECT)) == (1, 0, 1)

        agreement = run(label_app, "agreement")["agreement"]
        assert (agreement["messages"], agreement["twice"]) == (len(ROWS), len(ROWS) - 2)  # one skipped, one taken back
        assert len(agreement["disputed"]) == len(SLIPS) + 1  # and the one that ann changed her mind about
        assert 0.5 < agreement["alpha"] < 1

        retrain(tiny_base, var_dir, tmp_path)
        (challenger,) = run(models_app, "models")
        assert (challenger["version"], challenger["aliases"]) == ("1", ["challenger"])
        assert service_version(service) == "0"
        promote(challenger["gate"])
        wait_until(lambda: service_version(service) == "1", 60)
        answer = classify(service, ["thanks love it"])
        assert answer["model"]["version"] == "1"
        assert answer["results"][0]["label"] in {*load_labeling().screen.order}


def classify(service: Service, texts: list[str], ids: list[str] | None = None) -> dict:
    named = [{"id": key} for key in ids] if ids else [{} for _ in texts]
    messages = [{"text": text, "channel": "twitter"} | more for text, more in zip(texts, named, strict=True)]
    answer = service.post("/classify", {"messages": messages})
    assert answer.status_code == 200, answer.text
    return answer.json()


def says(label: str) -> list[dict]:
    return [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]


def counts(pulled: dict) -> tuple[int, int, int]:
    return pulled["labels"], pulled["skips"], pulled["retracted"]


def label_everything(labelers: dict[str, Client]) -> dict[tuple[str, str], int]:
    """Have both label each task as it is meant, but for ben's slips and one message he skips; return the annotations."""
    ann = labelers["ann"]
    (project,) = ann.get("/api/projects", title=TITLE)["results"]
    tasks = ann.get("/api/tasks", project=project["id"], page_size=100)["tasks"]
    given = {}
    for who, client in labelers.items():
        for task in tasks:
            key = task["data"]["message_id"]
            label = NONE if who == "ben" and key in SLIPS else ROWS[key].label
            skips = who == "ben" and key == "c-abuse-0"
            body = {"result": [] if skips else says(label), "was_cancelled": skips, "lead_time": 3.0}
            given[who, key] = client.create(f"/api/tasks/{task['id']}/annotations/", body)["id"]
    return given


def retrain(base: Path, var: Path, folder: Path) -> None:
    """Run one round of `label watch` in its own process, with a recipe that takes seconds."""
    recipe = tiny_recipe(base, max_rows=300, epochs=1).model_dump(mode="json", exclude_defaults=True)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    words = (PROJECT, "watch.min_new=10", "watch.quiet_s=0", "--recipe", str(folder / "tiny.yaml"), "--once")
    said = command("label", "watch", *words, var=var).communicate(timeout=300)[1]
    assert f"{len(ROWS)} new labels" in said, said
    assert "challenger 1" in said, said


def promote(gate: str) -> None:
    """Promote as a person does: forced, with the reason, where the gate refuses."""
    words = ["promote", *([] if gate == "passed" else ["--force"]), "--reason", "the circle"]
    assert CliRunner().invoke(models_app, words, catch_exceptions=False).exit_code == 0


def service_version(service: Service) -> str:
    return httpx.get(service.url + "/model").json()["version"]
