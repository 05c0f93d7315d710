"""The registry on a real MLflow SQLite: runs, versions, aliases, bundles fetched whole."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from configs.errors import SwitchboardError
from training.bundle import verify
from training.registry import CHALLENGER, CHAMPION, Registry


def _register(registry: Registry, bundle: Path, **metrics: float) -> str:
    with registry.run("tiny") as run:
        run.log_metrics(metrics)
        return registry.register(run, bundle, {"recipe": "tiny", "gate": "passed"})


def test_an_empty_registry_has_no_versions_and_says_so(registry: Registry):
    assert registry.versions() == []
    with pytest.raises(SwitchboardError, match="registered versions: none yet; train one first"):
        registry.find("1")


def test_a_registry_that_does_not_answer_is_not_an_empty_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(SwitchboardError, match=r"http://127\.0\.0\.1:9: the registry does not answer"):
        Registry("http://127.0.0.1:9").versions()


def test_a_registered_bundle_is_the_challenger_and_comes_back_whole(registry: Registry, tiny_bundle: Path):
    number = _register(registry, tiny_bundle, macro_f1=0.5)
    found = registry.find(number)
    assert found.aliases == (CHALLENGER,) and found.metrics["macro_f1"] == 0.5 and found.tags["gate"] == "passed"
    folder = registry.fetch(found)
    assert verify(folder) == found.digest == verify(tiny_bundle)
    assert registry.fetch(found) == folder, "a second fetch downloads nothing"


def test_versions_come_newest_first_and_are_found_by_number_alias_and_address(registry: Registry, tiny_bundle: Path):
    first, second = (_register(registry, tiny_bundle) for _ in range(2))
    registry.point(CHAMPION, first)
    assert [one.version for one in registry.versions()] == [second, first]
    for name in (first, f"v{first}", "champion", "@champion", "models:/switchboard/1", "models:/switchboard@champion"):
        assert registry.find(name).version == first
    with pytest.raises(
        SwitchboardError, match=f"no model version or alias '7'; registered versions: {second}, {first}"
    ):
        registry.find("7")


def test_a_run_that_fails_says_so_and_registers_nothing(registry: Registry):
    with pytest.raises(RuntimeError), registry.run("broken") as run:
        raise RuntimeError
    assert MlflowClient(registry.uri).get_run(run.id).info.status == "FAILED"
    assert registry.versions() == []


def test_figures_that_are_not_finite_are_left_out(registry: Registry):
    with registry.run("tiny") as run:
        run.log_metrics({"good": 1.0, "bad": float("nan"), "worse": float("inf")})
    logged = MlflowClient(registry.uri).get_run(run.id)
    assert logged.data.metrics == {"good": 1.0} and logged.info.status == "FINISHED"


def test_the_training_data_is_a_data_set_of_the_run(registry: Registry):
    with registry.run("tiny") as run:
        run.log_data("training-set", "f" * 64, {"fit": 8, "holdout": 2})
    found = MlflowClient(registry.uri).get_run(run.id).inputs.dataset_inputs[0].dataset
    assert found.name == "training-set" and found.digest == "f" * 36
