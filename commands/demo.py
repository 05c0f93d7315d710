"""`switchboard demo`: the whole loop once, on the quick recipe."""

from typing import Any

import typer

app = typer.Typer()


@app.command()
def demo() -> None:
    """Train quickly, evaluate, register, promote, serve and classify ten messages."""
    from rich.console import Console
    from rich.table import Table

    from configs.paths import tracking_uri, var_dir
    from flows.demo import run_demo
    from flows.progress import say_to_stderr

    answers = run_demo(say_to_stderr)
    table = Table("message", "label", "confidence", "decision", "team", "respond within", title="What the service said")
    for text, result in answers:
        table.add_row(text, *_cells(result))
    Console().print(table)
    print("what to try next:")
    print(f"  .venv/bin/mlflow ui --backend-store-uri {tracking_uri()}    the run, its curves and its bundle")
    print("  .venv/bin/switchboard models                     versions, figures and aliases")
    print("  .venv/bin/switchboard evaluate                   the champion with intervals")
    print("  .venv/bin/switchboard serve                      the prediction API")
    print("  .venv/bin/switchboard classify FILE -o out.jsonl a file of messages")
    print(f"  everything made lies under {var_dir()}; `make model` trains the full recipe")


def _cells(result: dict[str, Any]) -> list[str]:
    if "error" in result:
        return ["-", "-", result["error"]["message"], "-", "-"]
    route = result["route"]
    decision = result["decision"] + (f" ({result['reason']})" if result["reason"] else "")
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
