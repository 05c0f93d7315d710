"""Progress: a bar on a terminal, lines on stderr, where they do not mix with results."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def row_progress(total: int, doing: str = "classifying") -> Iterator[Callable[[int], None]]:
    """Yield a function that moves a bar by so many rows; no bar where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda rows: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(doing, total=total or None)
        yield lambda rows: progress.advance(task, rows)


def say(line: str) -> None:
    """Print a line of progress on stderr."""
    typer.echo(line, err=True)
