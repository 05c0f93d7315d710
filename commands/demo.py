"""`switchboard demo`: the whole loop once, on the quick recipe."""

import sys
from typing import Any

import typer

from commands.progress import say

app = typer.Typer()
SHOWN = 42  # characters of a message
PLAIN_WIDTH = 120  # columns where the output is not a terminal


@app.command()
def demo() -> None:
    """Train quickly, evaluate, register, promote, serve and classify ten messages."""
    from rich.console import Console
    from rich.table import Table

    from configs.paths import tracking_uri, var_dir
    from flows.demo import run_demo

    answers = run_demo(say)
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    table = Table("message", "label", "sure", "decision", "team", "reply in", title="What the service said")
    for text, result in answers:
        table.add_row(_shortened(text), *_cells(result))
    console.print(table)
    print("what to try next:")
    print(f"  .venv/bin/mlflow ui --backend-store-uri {tracking_uri()}    the run, its curves and its bundle")
    print("  .venv/bin/switchboard models                     versions, figures and aliases")
    print("  .venv/bin/switchboard evaluate                   the champion with intervals")
    print("  .venv/bin/switchboard serve                      the prediction API")
    print("  .venv/bin/switchboard classify FILE -o out.jsonl a file of messages")
    print(f"  everything made lies under {var_dir()}; `make model` trains the full recipe")


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _cells(result: dict[str, Any]) -> list[str]:
    if "error" in result:
        return ["-", "-", result["error"]["message"], "-", "-"]
    route = result["route"]
    decision = result["reason"] or result["decision"]
    return [
        result["label"],
        f"{result['confidence']:.2f}",
        decision,
        route["team"],
        _duration(route["respond_within_s"]),
    ]


def _duration(seconds: int | None) -> str:
    if not seconds:
        return "no reply"
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{seconds // 60} min"
