"""`switchboard evaluate | report`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.progress import say

if TYPE_CHECKING:
    from flows.evaluate import Evaluation

app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Model = Annotated[str, typer.Argument(help="Bundle folder, version or alias; the champion by default.")]
On = Annotated[
    str | None, typer.Option("--on", help="Labelled JSONL, CSV or Parquet, or a snapshot; else the seed test side.")
]
Report = Annotated[Path | None, typer.Option("--report", help="Folder for the report, one HTML page.")]


@app.command()
def evaluate(model: Model = "", on: On = None, report: Report = None, as_json: Json = False) -> None:
    """Score a model on labelled messages, with intervals, behaviour and the gate's verdict."""
    from flows.evaluate import evaluate_model, report_on

    found = evaluate_model(model, on, say)
    if as_json:
        print(json.dumps(_as_json(found)))
    else:
        _print(found)
    if report:
        say(f"report: {report_on(found, on, report)}")
    elif not as_json:
        print("next: switchboard report, for the page with the messages behind the figures")


@app.command()
def report(
    model: Model = "",
    on: On = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder of the page; else one under var/.")] = None,
) -> None:
    """Write one HTML page about a model: verdict, what to do next, every figure and the messages behind it."""
    from flows.evaluate import evaluate_model, report_on

    print(report_on(evaluate_model(model, on, say), on, out))


def _print(found: "Evaluation") -> None:
    from evaluation.behaviour.run import failure_rates
    from evaluation.intervals import intervals

    scored = found.candidate.scored
    print(f"{len(scored.rows)} messages, {len(scored.inside)} with one of the {len(scored.labels)} labels")
    for name, one in intervals(scored.answers(), scored.labels).items():
        print(f"  {name:22} {one.value:.3f}   [{one.low:.3f}, {one.high:.3f}]   {one.support} messages")
    print("behaviour, share of checks failed")
    for name, (rate, checks) in failure_rates(found.candidate.behaviour).items():
        print(f"  {name:22} {rate:.3f}   of {checks} checks")
    if found.verdict:
        print("gate: passed" if found.verdict.passed else "gate: failed\n  " + "\n  ".join(found.verdict.reasons))


def _as_json(found: "Evaluation") -> dict[str, object]:
    from evaluation.intervals import intervals

    scored = found.candidate.scored
    named = intervals(scored.answers(), scored.labels)
    verdict = found.verdict
    return {
        "rows": len(scored.rows),
        "figures": {name: _finite(value) for name, value in found.candidate.figures().items()},
        "intervals": {
            name: [*map(_finite, (one.value, one.low, one.high)), one.support] for name, one in named.items()
        },
        "gate": {"passed": verdict.passed, "reasons": verdict.reasons} if verdict else None,
    }


def _finite(value: float) -> float | None:
    return value if value == value else None
