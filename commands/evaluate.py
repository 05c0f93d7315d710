"""`switchboard evaluate | report`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.figures import plain, shown
from commands.progress import say
from configs.errors import SwitchboardError

if TYPE_CHECKING:
    from evaluation.report.stream_page import Heard
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
        print(json.dumps(_as_json(found, on)))
    else:
        _print(found, on)
    if report:
        say(f"report: {report_on(found, on, report, say)}")
    elif not as_json:
        print("next: switchboard report, for the page with the messages behind the figures")


@app.command()
def report(
    model: Model = "",
    on: On = None,
    since: Annotated[
        str, typer.Option(help="What came in instead of a model: since 24h, 7d, 2w ago, or since a date.")
    ] = "",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder of the page; else one under var/.")] = None,
    as_json: Json = False,
) -> None:
    """Write one HTML page about a model, or with --since about what came in: verdict, what to do next, every figure."""
    from flows.evaluate import evaluate_model, report_on

    if since:
        if model or on:
            raise SwitchboardError("--since reports on what came in, not on a model; leave MODEL and --on out")
        _report_stream(since, out, as_json)
        return
    found = evaluate_model(model, on, say)
    page = report_on(found, on, out, say)
    print(json.dumps({"page": str(page), **_as_json(found, on)}) if as_json else page)


def _report_stream(since: str, out: Path | None, as_json: bool) -> None:
    from data.ledger import open_ledger
    from evaluation.period import parse_since
    from flows.listen import listen, report_stream

    period = parse_since(since)
    with open_ledger() as ledger:
        heard = listen(ledger, period)
    say(
        f"{len(heard.current):,} messages since {period.start:%Y-%m-%d %H:%M} UTC, compared with {heard.reference_name or 'nothing'}"
    )
    page = report_stream(heard, out)
    if as_json:
        print(json.dumps({"page": str(page), **_stream_as_json(heard)}))
        return
    for line in heard.departures.alerts:
        print(line)
    if not heard.departures.alerts:
        print(
            "nothing departs beyond chance" if heard.reference is not None else "there is nothing to compare with yet"
        )
    print(page)


def _stream_as_json(heard: "Heard") -> dict[str, object]:
    found = heard.departures
    return {
        "messages": len(heard.current),
        "reference": {"name": heard.reference_name, "messages": len(heard.reference or ()), "period": heard.mixes},
        "alerts": list(found.alerts),
        "segments": [plain(asdict(one)) for one in found.segments],
        "channels": [plain(asdict(one)) for one in found.channels],
        "outcomes": [plain(asdict(one)) for one in found.outcomes],
        "drifts": [plain(asdict(one)) for one in found.drifts],
        "words": [asdict(one) for one in heard.words],
        "themes": [{"terms": one.terms, "messages": one.count, "now": one.now, "before": one.before} for one in heard.themes],
    }  # fmt: skip


def _print(found: "Evaluation", on: str | None) -> None:
    from configs.gate import load_gate
    from evaluation.behaviour.run import failure_rates
    from evaluation.details import details
    from evaluation.intervals import intervals
    from flows.evaluate import learnt_of
    from flows.test_rows import industries_of

    scored = found.candidate.scored
    named = intervals(scored.answers(), scored.labels)
    print(f"{len(scored.rows)} messages, {len(scored.inside)} with one of the {len(scored.labels)} labels")
    for name, one in named.items():
        print(f"  {name:22} {shown(one.value)}   [{shown(one.low)}, {shown(one.high)}]   {one.support} messages")
    behind = details(scored, named, industries_of(on), *learnt_of(found.predictor.digest, say))
    _print_parts(behind)
    print("behaviour, share of checks failed")
    limits = load_gate().max_failure_rates
    for name, (rate, checks) in failure_rates(found.candidate.behaviour).items():
        limit = f"limit {limits[name]:.2f}" if name in limits else "no limit"
        print(f"  {name:22} {rate:.3f}   {limit}   of {checks} checks")
    if found.verdict:
        print("gate: passed" if found.verdict.passed else "gate: failed\n  " + "\n  ".join(found.verdict.reasons))
    print("to do: " + " ".join(behind["next_steps"]))


def _print_parts(behind: dict[str, Any]) -> None:
    print("parts, share right")
    for one in behind["slices"]:
        name = f"{one['facet']} {one['value']}"
        print(
            f"  {name:32} {shown(one['right'])}   [{shown(one['low'])}, {shown(one['high'])}]   {one['count']} messages"
        )
    print("most often confused, each with its surest message")
    for one in behind["confused_pairs"]:
        name, text = f"{one['true']} taken for {one['found']}", " ".join(one["examples"][0]["text"].split())
        print(f"  {name:32} {one['count']:4}   {text[:70]}{'…' if len(text) > 70 else ''}")
    print("called spam, and of that taken out with nobody looking")
    for one in behind["spam_sink_by_label"]:
        print(f"  {one['label']:32} {one['called']:4}   {one['taken_out']:4}   of {one['count']}")


def _as_json(found: "Evaluation", on: str | None) -> dict[str, object]:
    from evaluation.details import details
    from evaluation.intervals import intervals
    from flows.evaluate import learnt_of
    from flows.test_rows import industries_of

    scored = found.candidate.scored
    named = intervals(scored.answers(), scored.labels)
    verdict = found.verdict
    return {
        "rows": len(scored.rows),
        "figures": plain(found.candidate.figures()),
        "intervals": {name: list(plain(asdict(one)).values()) for name, one in named.items()},
        **plain(details(scored, named, industries_of(on), *learnt_of(found.predictor.digest, say))),
        "gate": verdict.as_json() if verdict else None,
    }
