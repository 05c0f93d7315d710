"""`switchboard train | model`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.figures import plain, shown
from commands.progress import say
from configs.errors import SwitchboardError

if TYPE_CHECKING:
    from flows.model import NewVersion
    from training.archive import Archive

app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_SETTINGS = (
    "A recipe's name or path, then key=value: any key of the recipe; data=FILE|SNAPSHOT (your own labels), seed=false "
    "(without the shipped corpus), own_rows=N (only so many of them), adapt=FILE (unlabelled messages to learn from too), teacher=VERSION (a stronger model, whose answers on these are learnt), experiment=WHY (not to be promoted)."
)

_WANTED = {"experiment": "why", "own_rows": "how many", "teacher": "which version"}


@app.command()
def train(
    settings: Annotated[list[str] | None, typer.Argument(help=_SETTINGS)] = None,
    as_json: Json = False,
) -> None:
    """Fine-tune, evaluate, and register the result as challenger; a killed training goes on when asked for again."""
    from configs.recipe import load_recipe
    from flows.model import follow_training, train_version
    from flows.training_set import customer_training_set, seed_training_set
    from training.processes import is_first

    own, given = _split(list(settings or []))
    name = given.pop(0) if given and "=" not in given[0] else "full"
    recipe = load_recipe(name, tuple(given))
    data, with_seed = own.get("data", ""), own.get("seed", "true") == "true"
    if not data and not with_seed:
        raise SwitchboardError("seed=false leaves nothing to learn from; name your labels with data=FILE")
    archive = _archive(own.get("adapt", ""), own.get("teacher", ""))
    most = _own_rows(own.get("own_rows", ""), data)
    rows = customer_training_set(recipe, data, with_seed, own_rows=most) if data else seed_training_set(recipe)
    if not is_first():
        follow_training(recipe, rows, archive)
        return
    _print(train_version(recipe, rows, say, archive=archive, experiment=own.get("experiment", "")), as_json)


@app.command()
def model(
    recipe_name: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe's name or path.")] = "full",
    as_json: Json = False,
) -> None:
    """Train a recipe on the whole corpus, evaluate it and promote it if it passes the gate."""
    from configs.recipe import load_recipe
    from flows.model import promote_version, train_version
    from flows.training_set import seed_training_set
    from training.registry import Registry

    registry = Registry()
    recipe = load_recipe(recipe_name)
    new = train_version(recipe, seed_training_set(recipe), say, registry)
    if not new.verdict.passed:
        raise SwitchboardError(
            "the gate refuses version " + new.version.version + ": " + "; ".join(new.verdict.reasons)
        )
    champion = promote_version(registry, new.version, say)
    if as_json:
        print(json.dumps({"champion": champion.model_dump(), "figures": plain(new.figures)}))
        return
    _print_figures(new.figures)
    print("next: switchboard serve, or switchboard classify FILE -o OUT")


def _split(settings: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return what says which rows to learn from, and the rest, which are the recipe's; `seed=13` is the recipe's."""
    own, rest = {}, []
    for setting in settings:
        key, _, value = setting.partition("=")
        ours = key in {"data", "adapt", "teacher", "experiment", "own_rows"} or (
            key == "seed" and value in {"true", "false"}
        )
        if ours and not value:
            raise SwitchboardError(f"{setting!r}: say {_WANTED.get(key, 'which file')} after the equals sign")
        if ours:
            own[key] = value
        else:
            rest.append(setting)
    return own, rest


def _own_rows(value: str, data: str) -> int | None:
    if not value:
        return None
    if not data or not value.isdecimal() or int(value) < 1:
        raise SwitchboardError(f"own_rows={value}: give a number of at least 1, beside data=FILE")
    return int(value)


def _archive(name: str, teacher: str) -> "Archive | None":
    from data.readers import check_readable
    from flows.locate import locate_bundle
    from training.archive import Archive

    if teacher and not name:
        raise SwitchboardError(f"teacher={teacher}: say with adapt=FILE which unlabelled messages it is to answer")
    if not name:
        return None
    check_readable(Path(name))
    return Archive(Path(name), teacher=locate_bundle(teacher) if teacher else None)


def _print(new: "NewVersion", as_json: bool) -> None:
    if as_json:
        print(json.dumps({"version": new.version.version, "bundle": str(new.bundle), "figures": plain(new.figures),
                          "gate": {"passed": new.verdict.passed, "reasons": new.verdict.reasons}}))  # fmt: skip
        return
    _print_figures(new.figures)
    print("gate: passed" if new.verdict.passed else "gate: failed\n  " + "\n  ".join(new.verdict.reasons))
    print(f"next: switchboard promote {new.version.version}")


def _print_figures(figures: dict[str, float]) -> None:
    for name, value in figures.items():
        print(f"  {name:20} {shown(value)}")
