"""`switchboard label ...`: Label Studio up, set up, fed and read; what to label next, and how well it is labelled."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from commands import label_quality
from commands.progress import say

if TYPE_CHECKING:
    from configs.labeling import Labeling
    from labeling.client import Client

app = typer.Typer(help="Label messages in Label Studio, and bring the labels back.", no_args_is_help=True)

app.add_typer(label_quality.app)

AS_JSON = typer.Option(False, "--json", help="Print the result as JSON.")
OVERRIDES = typer.Argument(None, help="key=value overrides of configs/labeling.yaml, e.g. page_size=200.")


@app.command()
def up(
    port: int = typer.Option(8080, help="Where to listen."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on; 0.0.0.0 for the whole network."),
    json: bool = AS_JSON,
) -> None:
    """Install Label Studio in an environment of its own, start it, and make the project."""
    from labeling.client import Client
    from labeling.install import ensure_installed, environment_dir
    from labeling.project import set_up
    from labeling.server import start

    folder = environment_dir()
    print(f"Label Studio in {folder} (the first time takes a few minutes)", file=sys.stderr)
    server = start(ensure_installed(folder), port, host=host)
    labeling, taxonomy = _configured(())
    with Client(server.url, server.account.token, labeling.patience_s) as client:
        project, done = set_up(client, labeling, taxonomy)
        invitation = server.url + client.get("/api/invite")["invite_url"]
    facts = {
        "url": server.url, "started": server.started, "project": f"{server.url}/projects/{project.id}", "setup": done,
        "user": server.account.username, "invitation": invitation, "log": str(server.log),
    }  # fmt: skip
    _show(facts, json)
    if not json:
        print("the password stands in account.json beside the log; `switchboard label next N`, then `label push`")


@app.command()
def down(json: bool = AS_JSON) -> None:
    """Stop the Label Studio that `up` started; everything in it stays."""
    from labeling.server import stop

    _show({"stopped": stop()}, json)


@app.command()
def setup(overrides: list[str] = OVERRIDES, json: bool = AS_JSON) -> None:
    """Make or update the project: the interface and the instructions, from the taxonomy."""
    from labeling.project import set_up

    labeling, taxonomy = _configured(overrides)
    with _connected(labeling) as client:
        project, done = set_up(client, labeling, taxonomy)
        invitation = client.url + client.get("/api/invite")["invite_url"]
        _show({"project": f"{client.url}/projects/{project.id}", "setup": done, "invitation": invitation}, json)


@app.command()
def push(overrides: list[str] = OVERRIDES, json: bool = AS_JSON) -> None:
    """Make a task of every chosen message that is not there yet."""
    from data.ledger import open_ledger
    from labeling.known import opened
    from labeling.push import push as push_all

    labeling, taxonomy = _configured(overrides)
    with _connected(labeling) as client, open_ledger() as ledger, opened() as known, _bar("pushing") as progress:
        pushed = push_all(client, ledger, labeling, taxonomy, known, progress)
    _show(asdict(pushed), json)


@app.command()
def pull(overrides: list[str] = OVERRIDES, json: bool = AS_JSON) -> None:
    """Bring what labelers did since the last pull into the ledger."""
    from data.ledger import open_ledger
    from labeling.known import opened
    from labeling.pull import pull as pull_all

    labeling, taxonomy = _configured(overrides)
    with _connected(labeling) as client, open_ledger() as ledger, opened() as known, _bar("pulling") as progress:
        pulled = pull_all(client, ledger, labeling, taxonomy, known, progress)
    _show(asdict(pulled), json)
    if not json:
        print("next: switchboard label agreement, switchboard data snapshot")


@app.command("next")
def next_(
    count: int = typer.Argument(..., min=1, help="How many messages to choose."),
    overrides: list[str] = typer.Argument(None, help="Another mix, e.g. mix.random=0.4 blind_share=0.5."),
    file: Path = typer.Option(None, "--from", help="Choose from this file (JSONL, CSV, Parquet), classified now."),
    model: str = typer.Option("", help="The model that classifies the file. Default: the champion."),
    against: str = typer.Option("", help="A second model (e.g. challenger) whose disagreement counts."),
    days: float = typer.Option(30.0, min=0, help="How far back to read the decision log."),
    seed: int = typer.Option(None, help="Repeat a choice."),
    json: bool = AS_JSON,
) -> None:
    """Choose what is most worth labelling; the reasons stay in the ledger."""
    from datetime import UTC, datetime, timedelta

    from data.ledger import open_ledger
    from flows.next import choose_next

    labeling, _ = _configured(overrides)
    since = None if file else datetime.now(UTC) - timedelta(days=days)
    with open_ledger() as ledger:
        chosen = choose_next(
            ledger, count, labeling, since=since, file=file, model=model, against=against, seed=seed,
            say=say,
        )  # fmt: skip
    blind = sum(item.blind for item in chosen.selections)
    facts = {"batch": chosen.batch, "chosen": len(chosen.selections), "of": chosen.candidates, "blind": blind}
    _show(facts | {"by": chosen.by_strategy}, json)
    if not json:
        print("next: switchboard label push")


@app.command()
def suspects(
    limit: int = typer.Option(50, min=1, help="At most this many."),
    review: bool = typer.Option(False, "--review", help="Choose them for a second, blind look by `label push`."),
    json: bool = AS_JSON,
) -> None:
    """List labels that a cross-validated model or routers' feedback disputes."""
    from data.ledger import open_ledger
    from flows.suspects import find_doubts, select_for_review

    with open_ledger() as ledger:
        doubts = find_doubts(ledger, limit)
        batch = select_for_review(ledger, doubts) if review and doubts else ""
    if json:
        _print_json({"batch": batch, "suspects": [asdict(doubt) for doubt in doubts]})
        return
    for doubt in doubts:
        print(f"{doubt.message_id}  {doubt.label:10s} {doubt.reason}\n    {doubt.text[:110]}")
    print(f"{len(doubts)} doubted labels" + (f", chosen for review as {batch}; next: label push" if batch else ""))


@app.command()
def listen(
    port: int = typer.Option(8090, help="Where Label Studio's webhook arrives."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    url: str = typer.Option("", help="The address Label Studio reaches us at, if another."),
    overrides: list[str] = OVERRIDES,
) -> None:
    """Pull soon after each change, and every few minutes in any case; trains nothing."""
    from commands.label_watch import run_watch

    labeling, taxonomy = _configured(overrides)
    run_watch(labeling, taxonomy, retrain=None, listen_on=(host, port), public_url=url)


@app.command()
def watch(
    overrides: list[str] = OVERRIDES,
    port: int = typer.Option(0, help="Also take Label Studio's webhook at this port."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    url: str = typer.Option("", help="The address Label Studio reaches us at, if another."),
    recipe: str = typer.Option("full", help="A recipe's name or YAML file."),
    once: bool = typer.Option(False, "--once", help="One round: pull, train if due, end."),
) -> None:
    """Pull on a schedule, and train a challenger when enough new labels have come."""
    from commands.label_watch import load_retrain, run_watch

    labeling, taxonomy = _configured(overrides)
    listen_on = (host, port) if port else None
    run_watch(labeling, taxonomy, load_retrain(recipe), listen_on=listen_on, public_url=url, once=once)


def _configured(overrides: Any) -> tuple["Labeling", Any]:
    from configs.labeling import load_labeling
    from configs.taxonomy import load_taxonomy

    return load_labeling(tuple(overrides or ())), load_taxonomy()


@contextmanager
def _connected(labeling: "Labeling") -> Iterator["Client"]:
    from labeling.client import connect

    with connect(labeling.patience_s) as client:
        yield client


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a function that shows how many of how many; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _show(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json(facts)
        return
    for name, value in facts.items():
        shown = ", ".join(f"{key} {number}" for key, number in value.items()) if isinstance(value, dict) else value
        print(f"{name:12s} {shown}")


def _print_json(value: Any) -> None:
    import orjson

    print(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode())
