"""`switchboard label agreement`: how far labelers agree, and how often they overrule the model."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from labeling.agreement import Agreement
    from labeling.corrections import Corrections, LiveAccuracy, Share

app = typer.Typer()


@app.command()
def agreement(json: bool = typer.Option(False, "--json", help="Print the result as JSON.")) -> None:
    """Show agreement between labelers, what they corrected, and the model's accuracy on blind random messages."""
    from data.ledger import open_ledger
    from flows.quality import measure_quality

    with open_ledger() as ledger:
        quality = measure_quality(ledger)
    if json:
        import orjson

        print(orjson.dumps(_plain(asdict(quality))).decode())
        return
    _print_agreement(quality.agreement)
    _print_corrections("overruled where the prediction was shown", quality.shown)
    _print_corrections("overruled where it was hidden", quality.blind)
    _print_live(quality.live)


def _print_agreement(found: "Agreement") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"{found.messages} messages labelled, {found.twice} by more than one person")
    console.print(f"Krippendorff's alpha {_number(found.alpha)}; {len(found.disputed)} messages disputed")
    by_label = Table("label", "alpha", title="Each label against the rest")
    for label, value in found.alpha_by_label.items():
        by_label.add_row(label, _number(value))
    pairs = Table("labelers", "messages", "equal", "Cohen's kappa", title="Pairs")
    for pair in found.pairs:
        pairs.add_row(f"{pair.first} / {pair.second}", str(pair.messages), f"{pair.equal:.0%}", _number(pair.kappa))
    people = Table("labeler", "labels", "seconds", "with consensus", "mostly confused (given -> consensus)")
    for one in found.annotators:
        confused = ", ".join(f"{a} -> {b} {n}" for (a, b), n in list(one.confusion.items())[:3])
        equal = f"{one.equal:.0%} of {one.compared}" if one.equal is not None else "-"
        people.add_row(one.name, str(one.labels), _number(one.seconds, 1), equal, confused)
    for table in (by_label, pairs, people) if found.twice else (people,):
        console.print(table)


def _print_corrections(title: str, found: "Corrections") -> None:
    from rich.console import Console
    from rich.table import Table

    if not found.all.of:
        return
    table = Table("by", "", "overruled", "of", "95% interval", title=f"{title}: {_percent(found.all)}")
    for view, groups in found.by.items():
        for name, share in groups.items():
            table.add_row(view, name, f"{share.hits:.0f}", f"{share.of:.0f}", f"{share.low:.0%} to {share.high:.0%}")
    Console().print(table)


def _print_live(live: "LiveAccuracy") -> None:
    print(
        f"blind random messages: {live.drawn} drawn, {live.labelled} labelled, {live.skipped} skipped, {live.waiting} "
        f"waiting; live accuracy {_percent(live.accuracy)}, with skips as mistakes {_percent(live.worst)}"
    )


def _percent(share: "Share") -> str:
    if share.value is None:
        return "not known yet"
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _plain(value: Any) -> Any:
    """Return the value with keys that JSON can hold."""
    if isinstance(value, dict):
        return {" -> ".join(key) if isinstance(key, tuple) else key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
