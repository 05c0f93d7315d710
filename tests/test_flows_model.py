"""A version's way: trained, evaluated, registered; killed and gone on with; adapted ones are experiments."""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from mlflow import MlflowClient
from typer.testing import CliRunner

from configs.errors import SwitchboardError
from data.messages import LabelledMessage
from flows.learning import learnt_from
from flows.model import train_version, training_key
from flows.seen import leave_out_seen, seen_by
from flows.training_set import TrainingSet
from flows.work import work_folder
from switchboard import app
from tests.tiny_base import tiny_recipe, tiny_rows
from training import run as training_run
from training.archive import Archive
from training.bundle import read_info
from training.encoder import file_digest
from training.parts import fingerprint
from training.registry import Registry

FIT, HOLDOUT, TEST = tiny_rows(24), tiny_rows(6, seed=1, prefix="h"), tiny_rows(4, seed=2, prefix="x")


def _set(rows: list[LabelledMessage] = FIT) -> TrainingSet:
    return TrainingSet(rows, HOLDOUT, TEST, fingerprint([*rows, *HOLDOUT, *TEST]), own=len(rows))


def _silent(line: str) -> None:
    pass


def test_a_version_is_registered_with_figures_bundle_and_lineage(tiny_base: Path, registry: Registry, var_dir: Path):
    new = train_version(tiny_recipe(tiny_base), _set(), _silent, registry)
    run = MlflowClient(registry.uri).get_run(new.version.run_id)
    assert run.info.status == "FINISHED" and run.data.metrics["macro_f1"] == new.figures["macro_f1"]
    assert run.data.params["epochs"] == "3" and run.inputs.dataset_inputs[0].dataset.digest == _set().fingerprint[:36]
    _, points = learnt_from(new.version.digest)
    assert [(one.rows, round(one.quality, 4)) for one in points] == [(len(FIT), round(new.figures["macro_f1"], 4))]
    assert new.version.tags["method"] == "fine_tune" and "experiment" not in new.version.tags
    assert run.data.metrics["macro_f1_low"] <= run.data.metrics["macro_f1"] <= run.data.metrics["macro_f1_high"]
    kept = Path(MlflowClient(registry.uri).download_artifacts(new.version.run_id, "", str(var_dir)))
    environment = json.loads((kept / "environment.json").read_text())
    assert environment["packages"]["torch"] == version("torch") and environment["python"] == platform.python_version()
    assert environment["threads"] == torch.get_num_threads() and environment["processor"] and "gpu" in environment
    assert json.loads((kept / "gate.json").read_text())["checks"][0]["name"] == "macro_f1"
    assert "| macro_f1 |" in (kept / "model_card.md").read_text(encoding="utf-8")
    assert "Where it comes from" in (kept / "report" / "report.html").read_text(encoding="utf-8")
    assert (kept / "report" / "figures" / "reliability.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert not any((var_dir / "training").iterdir()), "nothing is left of what only a resumed run needs"


@pytest.mark.parametrize("where", ["write_bundle", "learn"])
def test_a_failed_training_registers_nothing_and_goes_on_in_the_same_run(
    tiny_base: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch, where: str
):
    recipe, said = tiny_recipe(tiny_base), []
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(training_run, where, _interrupt)
        train_version(recipe, _set(), _silent, registry)
    assert registry.versions() == []
    new = train_version(recipe, _set(), said.append, registry)
    assert said[0].startswith("going on with recipe 'tiny'")
    client = MlflowClient(registry.uri)
    runs = client.search_runs([client.get_experiment_by_name("switchboard").experiment_id])
    assert [run.info.run_id for run in runs] == [new.version.run_id] and runs[0].info.status == "FINISHED"


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_kill_between_register_and_the_end_makes_no_second_version(
    tiny_base: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
):
    whole = Registry.register

    def registers_and_dies(self: Registry, *given: object) -> str:
        whole(self, *given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Registry, "register", registers_and_dies)
        train_version(tiny_recipe(tiny_base), _set(), _silent, registry)
    train_version(tiny_recipe(tiny_base), _set(), _silent, registry)
    assert [one.version for one in registry.versions()] == ["1"]


def test_the_same_training_never_runs_twice_at_once(var_dir: Path):
    with work_folder("key"), pytest.raises(SwitchboardError, match="under way in another process"), work_folder("key"):
        pass


def test_what_learnt_from_an_archive_is_a_version_like_any_other_and_an_experiment_is_promoted_by_force_only(
    tiny_base: Path, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    archive = tmp_path / "archive.jsonl"
    rows = [*tiny_rows(20, seed=9, prefix="a"), *TEST]  # the test rows stand in it, and must not be learnt
    archive.write_text("".join(json.dumps({"text": row.message.text}) + "\n" for row in rows), encoding="utf-8")
    said: list[str] = []
    new = train_version(
        tiny_recipe(tiny_base), _set(), said.append, registry, Archive(archive), experiment="not ours to learn from"
    )
    counts = next(line.split() for line in said if "archive messages are agreed on" in line)
    kept, drawn = int(counts[0]), int(counts[2])
    assert drawn == len({row.message.text for row in rows}) - len(TEST)
    assert kept > 60 and new.figures["macro_f1"] > 0.8
    assert len(new.version.tags["adapted"]) == 64 and new.version.tags["experiment"] == "not ours to learn from"
    refused = CliRunner().invoke(app, ["promote", new.version.version])
    assert isinstance(refused.exception, SwitchboardError) and "is an experiment" in str(refused.exception)
    forced = CliRunner().invoke(app, ["promote", new.version.version, "--force", "--reason", "trying it"])
    assert forced.exit_code == 0 and "champion" in registry.find(new.version.version).aliases


def test_a_stronger_version_teaches_a_company_archive_and_the_version_says_which(
    tiny_base: Path, registry: Registry, tmp_path: Path
):
    archive, said = tmp_path / "archive.jsonl", []
    archive.write_text("".join(json.dumps({"text": row.message.text}) + "\n" for row in TEST + tiny_rows(2, 9, "a")))
    teacher = train_version(tiny_recipe(tiny_base), _set(), _silent, registry).bundle
    given = Archive(archive, teacher=teacher)
    new = train_version(tiny_recipe(tiny_base, epochs=1), _set(), said.append, registry, given)
    name = read_info(teacher).name
    assert new.version.tags["teacher"] == name and len(new.version.tags["adapted"]) == 64
    assert f"{name} answers 18 archive messages, which are learnt from its answers" in said
    alone = training_key(tiny_recipe(tiny_base), _set(), Archive(archive))
    assert alone != training_key(tiny_recipe(tiny_base), _set(), given), "with another teacher it is another training"
    info = read_info(new.bundle)
    assert info.archive == file_digest(archive) and info.teacher.startswith(f"{name} (")
    assert f"| unlabelled messages | {info.archive[:12]}, answered by {name}" in (new.bundle / "CARD.md").read_text()
    assert any(line.startswith("method fine_tune: ") for line in said)
    taught = [row for row in tiny_rows(2, 9, "a") if row.message.text not in {one.message.text for one in TEST}]
    assert leave_out_seen([*TEST, *taught], "rows", [new.bundle], _silent) == TEST, "what was answered is learnt"
    assert seen_by(teacher) <= seen_by(new.bundle)


def test_what_an_experiment_teaches_is_one_too(tiny_base: Path, registry: Registry, tmp_path: Path):
    archive = tmp_path / "archive.jsonl"
    archive.write_text("".join(json.dumps({"text": row.message.text}) + "\n" for row in tiny_rows(2, 9, "a")))
    recipe = tiny_recipe(tiny_base, epochs=1)
    teacher = train_version(recipe, _set(), _silent, registry, experiment="not ours to learn from")
    given = Archive(archive, teacher=teacher.bundle)
    new = train_version(recipe, _set(), _silent, registry, given)
    assert new.version.tags["experiment"] == f"taught by version {teacher.version.version}: not ours to learn from"
