"""A version's whole way with a real small model: trained, judged, registered, promoted, rolled back."""

import json

import pytest

from configs.errors import SwitchboardError
from flows.model import promote_version, train_version
from flows.training_set import TrainingSet
from tests.tiny_base import make_base_model, tiny_recipe, tiny_rows
from training.bundle import verify
from training.publish import champion_folder, previous_version, read_audit, read_champion


@pytest.fixture
def published(var_dir):
    return var_dir / "published"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base_model(tmp_path_factory.mktemp("base"))


def _training_set(seed: int) -> TrainingSet:
    return TrainingSet(
        tiny_rows(12, seed, "f"), tiny_rows(4, seed + 1, "h"), tiny_rows(4, seed + 2, "t"), f"print{seed}"
    )


def test_a_version_is_trained_registered_promoted_and_rolled_back(registry, published, base):
    said: list[str] = []
    first = train_version(tiny_recipe(base), _training_set(1), said.append, registry)
    assert first.version.aliases == ("challenger",)
    assert first.version.metrics["macro_f1"] == pytest.approx(first.figures["macro_f1"])
    assert any("registered as version 1" in line for line in said)

    champion = promote_version(registry, first.version, said.append)
    assert verify(champion_folder(published)) == champion.digest
    assert registry.find("champion").version == "1"

    second = train_version(tiny_recipe(base, seed=14), _training_set(5), said.append, registry)
    promote_version(registry, second.version, said.append, reason="better")
    champion = read_champion(published)
    assert champion is not None
    assert champion.version == "2"

    back = registry.find(previous_version(published))
    promote_version(registry, back, said.append, action="rollback", reason="worse")
    assert registry.find("champion").version == "1"
    assert [(entry.action, entry.version) for entry in read_audit(published)] == [
        ("promote", "1"), ("promote", "2"), ("rollback", "1"),
    ]  # fmt: skip


def test_a_failed_training_leaves_no_version_and_a_failed_run(registry, base):
    rows = TrainingSet(tiny_rows(12, 1), [], tiny_rows(4, 2), "print")
    with pytest.raises(SwitchboardError, match="no rows to hold out for spam"):
        train_version(tiny_recipe(base), rows, lambda line: None, registry)
    assert registry.versions() == []


def test_the_bundle_says_what_it_was_made_of(registry, base):
    new = train_version(tiny_recipe(base), _training_set(1), lambda line: None, registry)
    info = json.loads((new.bundle / "bundle.json").read_text())
    assert info["recipe"]["name"] == "tiny"
    assert len(info["data_fingerprint"]) == 64
    assert info["thresholds"]["playbook_version"]
    assert new.version.digest
