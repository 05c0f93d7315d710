"""`switchboard models | promote | rollback`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from commands.progress import say
from configs.errors import SwitchboardError

if TYPE_CHECKING:
    from training.publish import Champion

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
        str | None, typer.Option(help="Rows for --again beside all that is current: a labelled file or a snapshot.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a version the champion that is served, where the gate let it pass against the champion there is now."""
    from configs.paths import published_dir
    from flows.judging import GATE_FILE, judge_again
    from flows.model import promote_version
    from training.publish import last_champion
    from training.registry import Registry

    registry = Registry()
    found, previous = registry.find(version), last_champion(published_dir())
    if again:
        found = judge_again(registry, found, on, say)
    against = _against(found.tags)
    gate = registry.text(found, GATE_FILE)
    if against and not (force and reason.strip()):
        if as_json:
            _print_json("refused", found.version, gate, against, previous, previous)
        elif not force:
            _print_refusal(gate)
        remedy = "say why it is forced: --why TEXT" if force else "use --force --why TEXT to override"
        raise SwitchboardError(f"version {found.version}: {against}; {remedy}")
    action = "force" if against else "promote"
    champion = promote_version(registry, found, say, action=action, reason=reason)
    if as_json:
        _print_json(action, found.version, gate, against, previous, champion)


def _against(tags: dict[str, str]) -> str:
    """Return what speaks against promoting a version with these tags, or nothing."""
    from configs.paths import published_dir
    from flows.judging import GATE, JUDGED_WITH, NO_CHAMPION, is_on_current_rows
    from training.publish import last_champion
    from training.registry import EXPERIMENT_TAG

    if EXPERIMENT_TAG in tags:
        return f"is an experiment ({tags[EXPERIMENT_TAG]})"
    verdict = tags.get(GATE, "never evaluated")
    if verdict != "passed":
        return f"the gate says {verdict}"
    champion = last_champion(published_dir())
    if champion and champion.digest == tags.get("digest"):
        return ""
    if tags.get(JUDGED_WITH) != (champion.digest if champion else NO_CHAMPION):
        return "the gate compared it with another champion than today's; judge it again with --again [--on ROWS]"
    if not is_on_current_rows(tags):
        return "test rows of your own have come since the gate judged it; judge it again with --again [--on ROWS]"
    return ""


def _print_json(
    action: str, version: str, gate: str, against: str, previous: "Champion | None", champion: "Champion | None"
) -> None:
    """Print what was done with a version, what the gate says of it, and the champion before and now."""
    before, now = (one.model_dump() if one else None for one in (previous, champion))
    verdict = json.loads(gate) if gate else None
    print(json.dumps({"version": version, "action": action, "against": against or None, "gate": verdict,
                      "previous": before, "champion": now}))  # fmt: skip


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
def rollback(reason: Reason = "", as_json: Json = False) -> None:
    """Make the champion before this one the champion again."""
    from configs.paths import published_dir
    from flows.rollback import roll_back
    from training.publish import last_champion

    previous = last_champion(published_dir())
    done = roll_back(say, reason)
    if as_json:
        _print_json("rollback", done.champion.version, done.gate, "", previous, done.champion)


def _figures_that_matter(metrics: dict[str, float]) -> str:
    """Return quality, the weakest label, what is handled alone, how right that is, what spam swallows, calibration."""
    from configs.taxonomy import load_taxonomy

    weakest = min(load_taxonomy().labels, key=lambda label: metrics.get(f"f1_{label}", float("inf")))
    values = {name: metrics.get(name, float("nan"))
              for name in ("macro_f1", f"f1_{weakest}", "auto_share", "auto_precision", "spam_sink", "calibration_error")}  # fmt: skip
    quality, worst, auto, right, sunk, error = values.values()
    return f"{quality:8.3f} {weakest + f' {worst:.2f}':>16} {auto:5.0%} {right:6.1%} {sunk:6.1%} {error:6.3f}"
