"""`switchboard models | promote | rollback`."""

import json
from typing import Annotated

import typer

from configs.errors import SwitchboardError

app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


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
    against = _against(found.tags)
    if against and not force:
        raise SwitchboardError(f"version {found.version}: {against}; use --force --reason TEXT to override")
    promote_version(registry, found, say_to_stderr, action="force" if against else "promote", reason=reason)


def _against(tags: dict[str, str]) -> str:
    """Return what speaks against promoting a version with these tags, or nothing."""
    from training.registry import EXPERIMENT_TAG

    if EXPERIMENT_TAG in tags:
        return f"is an experiment ({tags[EXPERIMENT_TAG]})"
    gate = tags.get("gate", "never evaluated")
    return "" if gate == "passed" else f"the gate says {gate}"


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


def _figures_that_matter(metrics: dict[str, float]) -> str:
    """Return quality, the weakest label, what is handled alone, how right that is, what spam swallows, calibration."""
    from configs.taxonomy import load_taxonomy

    weakest = min(load_taxonomy().labels, key=lambda label: metrics.get(f"f1_{label}", float("inf")))
    values = {name: metrics.get(name, float("nan"))
              for name in ("macro_f1", f"f1_{weakest}", "auto_share", "auto_precision", "spam_sink", "calibration_error")}  # fmt: skip
    quality, worst, auto, right, sunk, error = values.values()
    return f"{quality:8.3f} {weakest + f' {worst:.2f}':>16} {auto:5.0%} {right:6.1%} {sunk:6.1%} {error:6.3f}"
