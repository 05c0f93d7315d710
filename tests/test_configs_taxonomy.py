"""The labels are listed once: everything else derives from `configs/taxonomy.yaml`."""

import re
from pathlib import Path

import pytest
import yaml

from configs.errors import SwitchboardError
from configs.paths import CONFIGS, PROJECT
from configs.playbook import load_playbook
from configs.recipe import load_recipe
from configs.taxonomy import NONE, load_taxonomy
from data.corpus import read_corpus
from tests.tiny_base import tiny_recipe, tiny_rows
from training.model import MessageClassifier
from training.targets import soft_targets

PACKAGES = ("configs", "data", "labeling", "training", "evaluation", "serving", "flows", "commands")


def test_the_eight_labels_in_their_order():
    labels = load_taxonomy().labels
    assert labels == ("spam", "request", "question", "abuse", "praise", "lead", "suggestion", "fraud")
    assert load_taxonomy().annotation_values == (*labels, NONE)


def test_each_label_says_who_owns_it_what_it_is_and_gives_two_examples():
    for segment in load_taxonomy().segments:
        assert segment.team and len(segment.definition) > 40 and segment.boundaries
        assert len(set(segment.examples)) == 2


def test_class_ids_are_the_positions_of_the_labels(tiny_base: Path):
    taxonomy = load_taxonomy()
    rows = [row for row in tiny_rows(1) if row.label != NONE]
    targets, _ = soft_targets(rows, taxonomy.labels, 0.1)
    assert [taxonomy.labels[at] for at in targets.argmax(axis=1)] == [row.label for row in rows]
    recipe = tiny_recipe(tiny_base)
    network = MessageClassifier(recipe.base_model, len(taxonomy.labels), recipe.pooling, recipe.dropout)
    assert network.label_head.out_features == len(taxonomy.labels)


def test_playbook_recipes_and_corpus_speak_of_the_same_labels():
    labels = set(load_taxonomy().labels)
    assert set(load_playbook().segments) == set(load_playbook().costs) == labels
    for path in (CONFIGS / "recipes").glob("*.yaml"):
        assert set(load_recipe(str(path)).deployed_mix) <= labels
    assert {row.label for row in read_corpus()} <= labels | {NONE}


def test_no_code_lists_the_labels_again():
    labels = load_taxonomy().labels
    for package in PACKAGES:
        for path in (PROJECT / package).rglob("*.py"):
            if path.name == "examples.py":
                continue  # the API's example answers; a test of theirs checks them against the API
            named = re.findall(r"[\"'](\w+)[\"']", path.read_text(encoding="utf-8"))
            assert len(set(labels) & set(named)) < 5, f"{path} names most labels; derive them from the taxonomy"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values["segments"].append(values["segments"][0]), "a label is listed twice"),
        (lambda values: values["precedence"].pop(), "precedence must name each label exactly once"),
        (lambda values: values["segments"][0].pop("team"), "segments.0.team"),
    ],
)
def test_an_inconsistent_taxonomy_is_refused(tmp_path: Path, change, said: str):
    values = yaml.safe_load((CONFIGS / "taxonomy.yaml").read_text(encoding="utf-8"))
    change(values)
    path = tmp_path / "taxonomy.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(SwitchboardError, match=said):
        load_taxonomy(path)
