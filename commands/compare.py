"""`switchboard compare`."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from commands.figures import plain, shown
from commands.progress import say

app = typer.Typer()
EXAMPLES = 3


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="Bundle folder, version or alias.")],
    after: Annotated[str, typer.Argument(help="Bundle folder, version or alias.")],
    on: Annotated[
        str | None, typer.Option("--on", help="Labelled JSONL, CSV or Parquet, or a snapshot; else the seed test side.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say what got better and worse from one model to another, by label, with messages that flipped."""
    from evaluation.compare import verdict_of
    from flows.evaluate import compare_models

    found = compare_models(before, after, on, say)
    if as_json:
        figures = {name: plain(asdict(one)) | {"verdict": verdict_of(name, one)} for name, one in found.figures.items()}
        print(json.dumps({"figures": figures, "flips": [asdict(flip) for flip in found.flips]}))
        return
    print(f"{'':22} {'before':>7} {'after':>7}   change, 95%")
    for name, one in found.figures.items():
        if not name.startswith(("precision_", "recall_")):
            change, low, high = (shown(value, "+.3f") for value in (one.change, one.low, one.high))
            print(f"{name:22} {shown(one.before, '7.3f')} {shown(one.after, '7.3f')}   {change} [{low}, {high}]  "
                  f"{verdict_of(name, one)}")  # fmt: skip
    for label in dict.fromkeys(flip.true for flip in found.flips):
        for mended, word in ((True, "mended"), (False, "broken")):
            flips = found.flips_of(label, mended)
            if flips:
                print(f"\n{label}: {len(flips)} {word}")
            for flip in flips[:EXAMPLES]:
                print(f"  {flip.before} -> {flip.after} ({flip.confidence:.2f})  {' '.join(flip.text.split())[:110]}")
