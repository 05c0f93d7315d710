"""`switchboard models | promote | rollback`."""

import json
from typing import Annotated

import typer

from commands.progress import say
from configs.errors import SwitchboardError

app = typer.Typer()
Reason = Annotated[str, typer.Option("--why", "--reason", help="Kept in the audit trail.")]
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
    reason: Reason = "",
    again: Annotated[bool, typer.Option("--again", help="Let the gate judge it again, by today's champion.")] = False,
    on: Annotated[
        str | None, typer.Option(help="Rows for --again: a labelled file or a snapshot; else the seed's.")
    ] = None,
) -> None:
    """Make a version the champion that is served, where the gate let it pass against the champion there is now."""
    from flows.judging import GATE_FILE, judge_again
    from flows.model import promote_version
    from training.registry import Registry

    registry = Registry()
    found = registry.find(version)
    if again:
        found = judge_again(registry, found, on, say)
    against = _against(found.tags)
    if against and not force:
        _print_refusal(registry.text(found, GATE_FILE))
        raise SwitchboardError(f"version {found.version}: {against}; use --force --why TEXT to override")
    if against and not reason.strip():
        raise SwitchboardError(f"version {found.version}: {against}; say why it is forced: --why TEXT")
    promote_version(registry, found, say, action="force" if against else "promote", reason=reason)


def _against(tags: dict[str, str]) -> str:
    """Return what speaks against promoting a version with these tags, or nothing."""
    from configs.paths import published_dir
    from flows.judging import GATE, JUDGED_WITH, NO_CHAMPION
    from training.publish import read_champion
    from training.registry import EXPERIMENT_TAG

    if EXPERIMENT_TAG in tags:
        return f"is an experiment ({tags[EXPERIMENT_TAG]})"
    verdict = tags.get(GATE, "never evaluated")
    if verdict != "passed":
        return f"the gate says {verdict}"
    champion = read_champion(published_dir())
    if tags.get(JUDGED_WITH) == (champion.digest if champion else NO_CHAMPION) or (
        champion and champion.digest == tags.get("digest")
    ):
        return ""
    return "the gate compared it with another champion than today's; judge it again with --again [--on ROWS]"


def _print_refusal(verdict: str) -> None:
    """Print each check that speaks against, with the champion's figure and this version's."""
    checks = json.loads(verdict)["checks"] if verdict else []
    against = [check for check in checks if check["decides"] and check["state"] != "pass"]
    if against:
        print(f"{'check':26} {'rows':9} {'champion':>8} {'this':>8}  why")
    for check in against:
        before, now = (f"{one:.3f}" if one is not None else "-" for one in (check["champion"], check["challenger"]))
        print(f"{check['name']:26} {check['part']:9} {before:>8} {now:>8}  {check['says'].partition(': ')[2]}")


@app.command()
def rollback(reason: Reason = "") -> None:
    """Make the champion before this one the champion again."""
    from configs.paths import published_dir
    from flows.model import promote_version
    from training.publish import previous_version
    from training.registry import Registry

    registry = Registry()
    version = registry.find(previous_version(published_dir()))
    promote_version(registry, version, say, action="rollback", reason=reason)


def _figures_that_matter(metrics: dict[str, float]) -> str:
    """Return quality, the weakest label, what is handled alone, how right that is, what spam swallows, calibration."""
    from configs.taxonomy import load_taxonomy

    weakest = min(load_taxonomy().labels, key=lambda label: metrics.get(f"f1_{label}", float("inf")))
    values = {name: metrics.get(name, float("nan"))
              for name in ("macro_f1", f"f1_{weakest}", "auto_share", "auto_precision", "spam_sink", "calibration_error")}  # fmt: skip
    quality, worst, auto, right, sunk, error = values.values()
    return f"{quality:8.3f} {weakest + f' {worst:.2f}':>16} {auto:5.0%} {right:6.1%} {sunk:6.1%} {error:6.3f}"
