"""`switchboard data import | check | snapshot | diff | migrate | forget`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.progress import row_progress

if TYPE_CHECKING:
    from data.checking import CheckReport
    from data.forgetting import Forgotten
    from data.import_report import ImportReport

app = typer.Typer(help="Bring labels in, check them, and freeze them for training.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Seed = Annotated[bool, typer.Option("--seed/--no-seed", help="Keep the shipped corpus in the ledger, as it is now.")]
_STOP = 1  # the exit code of a check that forbids training


@app.command("import")
def import_(
    target: Annotated[str, typer.Argument(help="JSONL, CSV or Parquet, a `datasets` folder, or a Hugging Face id.")],
    mapping: Annotated[Path | None, typer.Option(help="YAML with columns, labels, source, annotator ...")] = None,
    column: Annotated[list[str] | None, typer.Option(help="ours=theirs, e.g. text=body; may be repeated.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="theirs=ours, e.g. complaint=abuse; nothing after = leaves out.")
    ] = None,
    source: Annotated[str, typer.Option(help="Where these messages are from; the file's name by default.")] = "",
    annotator: Annotated[str, typer.Option(help="Who said the labels; the source by default.")] = "",
    id_prefix: Annotated[str, typer.Option(help="Put before each id, to tell sources apart.")] = "",
    encoding: Annotated[
        str, typer.Option(help="Of a text file; found by itself where it is UTF-8, UTF-16 or Windows.")
    ] = "",
    split: Annotated[str, typer.Option(help="Of a data set; all by default.")] = "",
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="Also take rows without a label, to label later.")
    ] = False,
    keep_good: Annotated[bool, typer.Option("--keep-good", help="Take the good rows of a file with bad ones.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take labelled messages into the ledger; the same file twice adds nothing, a bad row refuses the whole file."""
    from data.importing import Import
    from data.ledger import open_ledger
    from data.mapping import load_mapping
    from data.sources import open_source

    read = load_mapping(
        mapping, column or (), label or (), source=source, annotator=annotator, id_prefix=id_prefix, encoding=encoding
    )
    opened = open_source(target, read, split)
    work = Import(opened, read, keep_good, unlabelled)
    with open_ledger() as ledger, row_progress(opened.total or 0, "importing") as on_rows:
        report = work.check(ledger, on_rows) if dry_run else work.run(ledger, on_rows)
    if as_json:
        print(json.dumps(report.as_dict() | {"dry_run": dry_run}))
    else:
        _print_import(report, dry_run)


@app.command()
def check(
    what: Annotated[
        str, typer.Argument(help="A labelled file, a snapshot's id or `latest`; the ledger by default.")
    ] = "",
    seed: Seed = True,
    as_json: Json = False,
) -> None:
    """Say whether training may start (exit code 0) or not (1), and what to look at first."""
    from configs.dataset import load_dataset_config
    from data.checking import check as check_rows
    from data.checking import check_file
    from data.ledger import open_ledger
    from data.readers import FORMATS
    from data.seeding import add_seed
    from data.snapshot import load_snapshot
    from data.snapshotting import resolved_rows
    from data.splits import place_new

    if Path(what).suffix.lower() in FORMATS:
        report = check_file(Path(what))
    elif what:
        report = check_rows(load_snapshot(what).rows())
    else:
        with open_ledger() as ledger:
            if seed:
                add_seed(ledger)
            place_new(ledger)
            report = check_rows(resolved_rows(ledger, load_dataset_config()))
    if as_json:
        print(json.dumps(report.as_dict()))
    else:
        _print_check(report)
    if not report.may_train:
        raise typer.Exit(_STOP)


@app.command()
def snapshot(seed: Seed = True, as_json: Json = False) -> None:
    """Freeze the labels that stand now as Parquet and a manifest, under var/snapshots."""
    from data.ledger import open_ledger
    from data.seeding import add_seed
    from data.snapshotting import make_snapshot

    with open_ledger() as ledger, row_progress(0, "writing") as on_rows:
        if seed:
            add_seed(ledger)
        mended: list[str] = []
        made = make_snapshot(ledger, on_rows=on_rows, on_mended=mended.append)
    manifest = made.manifest
    if as_json:
        print(json.dumps(manifest.model_dump(mode="json") | {"folder": str(made.folder), "mended": mended}))
        return
    print(f"snapshot {manifest.id}: {manifest.rows} rows, fingerprint {manifest.fingerprint[:16]}")
    for damage in mended:
        print(f"  mended: it was damaged ({damage}), and is written anew")
    print("  kinds: " + ", ".join(f"{rows} {kind}" for kind, rows in manifest.kinds.items()))
    _print_table(manifest.counts)
    print(f"look at {made.folder}; next: switchboard train")


@app.command()
def diff(before: str, now: Annotated[str, typer.Argument()] = "latest", as_json: Json = False) -> None:
    """Say what changed between two snapshots (ids, beginnings of ids, folders, or `latest`)."""
    from dataclasses import asdict

    from data.difference import compare
    from data.snapshot import load_snapshot

    difference = compare(load_snapshot(before), load_snapshot(now))
    if as_json:
        print(json.dumps(asdict(difference)))
        return
    print(
        f"{len(difference.added)} added, {len(difference.removed)} removed, {len(difference.relabelled)} relabelled, "
        f"{len(difference.changed)} changed in something else"
    )
    for message_id, (old, new) in list(difference.relabelled.items())[:20]:
        print(f"  {message_id}: {old} -> {new}")
    for message_id in difference.changed[:20]:
        print(f"  {message_id}: the same label, but other second labels, text, side or who decided")


@app.command()
def migrate(
    mapping: Annotated[
        Path, typer.Argument(help="YAML: from_version, to_version, labels (old: new, or null to drop).")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take the ledger's labels to the configured taxonomy; what was said stays, it is read anew."""
    from dataclasses import asdict

    from data.ledger import open_ledger
    from data.taxonomy_migration import migrate as migrate_ledger

    with open_ledger() as ledger:
        done = migrate_ledger(ledger, mapping, dry_run=dry_run)
    if as_json:
        print(json.dumps(asdict(done) | {"dry_run": dry_run}))
        return
    print(f"{'would go' if dry_run else 'went'} from taxonomy {done.from_version} to {done.to_version}")
    for old, new in done.labels.items():
        if old != new:
            print(f"  {old} -> {new or 'no label'}: {done.events.get(old, 0)} labels")
    print("next: switchboard data snapshot, then train; earlier snapshots and models belong to the earlier taxonomy")


@app.command()
def forget(
    author: Annotated[str, typer.Option(help="Everything this author wrote.")] = "",
    message: Annotated[str, typer.Option(help="The one message with this id.")] = "",
    as_json: Json = False,
) -> None:
    """Erase a person's or a message's texts wherever this project keeps them, and refuse their return."""
    from configs.errors import SwitchboardError
    from configs.labeling import load_labeling
    from data.forgetting import forget_author, forget_message
    from data.ledger import open_ledger
    from flows.forget import named_stores

    if bool(author) == bool(message):
        raise SwitchboardError("name either --author or --message")
    with open_ledger() as ledger:
        stores = named_stores(load_labeling())
        report = forget_author(ledger, author, stores) if author else forget_message(ledger, message, stores)
    if as_json:
        print(json.dumps(report.as_dict()))
    else:
        _print_forgotten(report)
    if report.failed:
        raise typer.Exit(_STOP)


def _print_import(report: "ImportReport", dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    print(
        f"{report.place}: {report.rows} rows; {report.new_messages} messages {would}new, {report.known_messages} known"
    )
    if not dry_run:
        print(f"  {report.new_labels} labels added")
    print("  " + ", ".join(f"{label} {rows}" for label, rows in report.labels.most_common()))
    for count, what in ((report.left_out, "left out by the mapping"), (report.unlabelled, "without label"),
                        (report.forgotten, "refused: forgotten"), (report.bad, "bad rows")):  # fmt: skip
        if count:
            print(f"  {count} {what}")
    for error in report.errors:
        print(f"    {error}")
    print("next: switchboard data check")


def _print_check(report: "CheckReport") -> None:
    print(f"{report.rows} rows: " + ", ".join(f"{rows} {kind}" for kind, rows in report.kinds.items()))
    _print_table(report.sides)
    for finding in report.findings:
        examples = f" ({', '.join(finding.examples)})" if finding.examples else ""
        print(f"{finding.level}: {finding.check}: {finding.text}{examples}")
    print(
        "training may start: switchboard data snapshot"
        if report.may_train
        else "training must not start: mend the errors"
    )


def _print_table(sides: dict[str, dict[str, int]]) -> None:
    labels = list(dict.fromkeys(label for counts in sides.values() for label in counts))
    for label in labels:
        print(
            f"  {label:12}"
            + "".join(f"{side or 'no side':>12} {counts.get(label, 0):6}" for side, counts in sides.items())
        )


def _print_forgotten(report: "Forgotten") -> None:
    print(f"{report.messages} messages erased from the ledger; they cannot come back")
    rows: list[tuple[str, Any]] = [(f"erased from {store}", count) for store, count in report.stores.items() if count]
    for what, count in rows:
        print(f"  {what}: {count}")
    for line in report.kept:
        print(f"kept: {line}")
    for line in report.failed:
        print(f"failed: {line}")
