"""`switchboard classify`: a file of messages in, a file of decisions out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from serving.files import Tally

app = typer.Typer()


@app.command()
def classify(
    file: Path = typer.Argument(
        ..., help="JSONL, CSV or Parquet with a `text` column (and optional id, channel, author, ...)."
    ),
    output: Path = typer.Option(None, "--output", "-o", help="JSONL file to write; standard output if left out."),
    model: str = typer.Option(
        "", help="Bundle folder or registry address (models:/NAME@ALIAS). Default: the champion."
    ),
    json: bool = typer.Option(False, "--json", help="Print the summary as JSON."),
) -> None:
    """Classify every message of a file: one JSON line out for each line in, in order; a bad line gets an `error`."""
    from time import perf_counter

    from commands.progress import row_progress
    from configs.playbook import load_playbook
    from data.readers import check_readable
    from flows.locate import locate_bundle
    from serving.decisions import Decider
    from serving.files import atomic_output, classify_file, count_rows
    from training.predictor import Predictor

    check_readable(file)
    _check_target(file, output)
    decider = Decider(Predictor(locate_bundle(model)), load_playbook())
    started = perf_counter()
    with row_progress(count_rows(file)) as advance:
        if output is None:
            tally = classify_file(file, decider, sys.stdout.buffer.write, advance)
            sys.stdout.flush()
        else:
            with atomic_output(output) as target:
                tally = classify_file(file, decider, target.write, advance)
    _print_summary(tally, perf_counter() - started, output, json)


def _check_target(file: Path, output: Path | None) -> None:
    from configs.errors import SwitchboardError

    if output is not None and output.exists() and output.samefile(file):
        raise SwitchboardError(f"{output}: is the file to read; write to another one")


def _print_summary(tally: "Tally", seconds: float, output: Path | None, as_json: bool) -> None:
    import orjson

    where = sys.stdout if output is not None else sys.stderr
    if as_json:
        summary = {
            "rows": tally.rows, "errors": tally.errors, "labels": dict(tally.labels), "decisions": dict(tally.outcomes),
            "seconds": round(seconds, 3), "output": str(output) if output else None,
        }  # fmt: skip
        print(orjson.dumps(summary).decode(), file=where)
        return
    labels = ", ".join(f"{label} {count}" for label, count in tally.labels.most_common())
    print(f"{tally.rows} messages in {seconds:.1f} s: {labels or 'none classified'}", file=where)
    print(
        f"decided by itself: {tally.outcomes['auto']}, for a person to review: {tally.outcomes['review']}", file=where
    )
    if tally.errors:
        print(f"{tally.errors} could not be read and carry an `error`; the first: {tally.first_error}", file=where)
    if output is not None:
        print(f"written to {output}", file=where)
