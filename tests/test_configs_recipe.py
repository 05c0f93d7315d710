"""Recipes: every shipped one loads, names are found, values are bounded."""

from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from configs.paths import CONFIGS
from configs.recipe import load_recipe


@pytest.mark.parametrize("path", sorted((CONFIGS / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_loads_and_calls_itself_by_its_file_name(path: Path):
    assert load_recipe(path.stem).name == path.stem


def test_overrides_change_a_recipe_and_a_path_is_as_good_as_a_name():
    assert load_recipe("full", ("epochs=1",)).epochs == 1
    assert load_recipe(str(CONFIGS / "recipes" / "full.yaml")) == load_recipe("full")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("learning_rat=1e-4", "did you mean 'learning_rate'?"),
        ("epochs=0", "greater than or equal to 1"),
        ("dropout=1", "less than 1"),
        ("pooling=max", "'mean', 'cls' or 'attention'"),
        ("deployed_mix={spam: 1.0}", "deployed_mix must give a share to each of"),
    ],
)
def test_a_wrong_value_is_refused(override: str, said: str):
    with pytest.raises(SwitchboardError) as caught:
        load_recipe("full", (override,))
    assert said in str(caught.value)


def test_an_unknown_recipe_says_which_there_are():
    with pytest.raises(SwitchboardError, match=r"no recipe 'ful'.*did you mean 'full'.*"):
        load_recipe("ful")


@pytest.mark.parametrize(("rows", "epochs"), [(44_000, 2), (1_100, 7), (300, 10), (1, 10)])
def test_few_rows_are_learnt_for_more_epochs(rows: int, epochs: int):
    assert load_recipe("full", ("epochs=2", "least_steps=240", "batch_size=32")).epochs_over(rows) == epochs
    assert load_recipe("full", ("least_steps=0",)).epochs_over(rows) == 2
