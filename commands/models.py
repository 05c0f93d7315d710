"""`switchboard train | models | promote | rollback | model`."""

import json
from typing import Annotated

import typer

from configs.errors import SwitchboardError

app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command()
def train(
    settings: Annotated[list[str] | None, typer.Argument(help="A recipe's name or path, then key=value ...")] = None,
    as_json: Json = False,
) -> None:
    """Fine-tune on the seed corpus, evaluate, and register the result as challenger."""
    from configs.recipe import load_recipe
    from flows.model import train_version
    from flows.progress import say_to_stderr
    from flows.training_set import seed_training_set

    given = list(settings or [])
    name = given.pop(0) if given and "=" not in given[0] else "full"
    recipe = load_recipe(name, tuple(given))
    new = train_version(recipe, seed_training_set(recipe), say_to_stderr)
    if as_json:
        print(json.dumps({"version": new.version.version, "bundle": str(new.bundle), "figures": new.figures,
                          "gate": {"passed": new.verdict.passed, "reasons": new.verdict.reasons}}))  # fmt: skip
        return
    _print_figures(new.figures)
    print("gate: passed" if new.verdict.passed else "gate: failed\n  " + "\n  ".join(new.verdict.reasons))
    print(f"next: switchboard promote {new.version.version}")


@app.command()
def model(as_json: Json = False) -> None:
    """Train the full recipe on the whole corpus, evaluate it and promote it if it passes the gate."""
    from configs.recipe import load_recipe
    from flows.model import promote_version, train_version
    from flows.progress import say_to_stderr
    from flows.training_set import seed_training_set
    from training.registry import Registry

    registry = Registry()
    recipe = load_recipe("full")
    new = train_version(recipe, seed_training_set(recipe), say_to_stderr, registry)
    if not new.verdict.passed:
        raise SwitchboardError(
            "the gate refuses version " + new.version.version + ": " + "; ".join(new.verdict.reasons)
        )
    champion = promote_version(registry, new.version, say_to_stderr)
    if as_json:
        print(json.dumps({"champion": champion.model_dump(), "figures": new.figures}))
        return
    _print_figures(new.figures)
    print("next: switchboard serve, or switchboard classify FILE -o OUT")


@app.command()
def models(as_json: Json = False) -> None:
    """List the registered versions with the figures that matter."""
    from training.registry import Registry

    found = Registry().versions()
    if as_json:
        print(
            json.dumps(
                [{"version": one.version, "aliases": one.aliases, "metrics": one.metrics, **one.tags} for one in found]
            )
        )
        return
    if not found:
        print("no versions yet; run `switchboard train` or `make model`")
    else:
        print(
            f"{'':>4}  {'macro-F1':>8} {'worst label':>16} {'auto':>5} {'right':>6} {'sunk':>6} {'ECE':>6}  recipe, aliases, gate"
        )
    for one in found:
        print(f"{one.version:>4}  {_figures_that_matter(one.metrics)}  "
              f"{', '.join(filter(None, [one.tags.get('recipe', ''), *one.aliases]))}; gate {one.tags.get('gate', '-')}")  # fmt: skip


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="Version number or alias.")] = "challenger",
    force: Annotated[bool, typer.Option("--force", help="Promote against the gate; the audit says so.")] = False,
    reason: Annotated[str, typer.Option(help="Kept in the audit trail.")] = "",
) -> None:
    """Make a version the champion that is served."""
    from flows.model import promote_version
    from flows.progress import say_to_stderr
    from training.registry import Registry

    registry = Registry()
    found = registry.find(version)
    gate = found.tags.get("gate", "never evaluated")
    if gate != "passed" and not force:
        raise SwitchboardError(f"version {found.version}: the gate says {gate}; use --force --reason TEXT to override")
    promote_version(registry, found, say_to_stderr, action="force" if gate != "passed" else "promote", reason=reason)


@app.command()
def rollback(reason: Annotated[str, typer.Option(help="Kept in the audit trail.")] = "") -> None:
    """Make the champion before this one the champion again."""
    from configs.paths import published_dir
    from flows.model import promote_version
    from flows.progress import say_to_stderr
    from training.publish import previous_version
    from training.registry import Registry

    registry = Registry()
    version = registry.find(previous_version(published_dir()))
    promote_version(registry, version, say_to_stderr, action="rollback", reason=reason)


def _print_figures(figures: dict[str, float]) -> None:
    for name, value in figures.items():
        print(f"  {name:20} {value:.3f}")


def _figures_that_matter(metrics: dict[str, float]) -> str:
    """Return quality, the weakest label, what is handled alone, how right that is, what spam swallows, calibration."""
    from configs.taxonomy import load_taxonomy

    weakest = min(load_taxonomy().labels, key=lambda label: metrics.get(f"f1_{label}", float("inf")))
    values = {name: metrics.get(name, float("nan"))
              for name in ("macro_f1", f"f1_{weakest}", "auto_share", "auto_precision", "spam_sink", "calibration_error")}  # fmt: skip
    quality, worst, auto, right, sunk, error = values.values()
    return f"{quality:8.3f} {weakest + f' {worst:.2f}':>16} {auto:5.0%} {right:6.1%} {sunk:6.1%} {error:6.3f}"
