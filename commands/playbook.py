"""`switchboard playbook`: is it right, and why does a message go where it goes."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from configs.playbook import Playbook
    from training.policy import Judgement

app = typer.Typer(no_args_is_help=True, help="Check the playbook, and see why a message goes where it goes.")
FILE = typer.Argument(None, help="A playbook; configs/playbook.yaml if left out.")
JSON = typer.Option(False, "--json", help="Print JSON.")


@app.command()
def check(file: Path = FILE, json: bool = JSON) -> None:
    """Validate a playbook against the taxonomy; a fault is one line that names key, value and remedy."""
    import orjson

    playbook = _load(file)
    counts = {name: len(getattr(playbook, name)) for name in ("segments", "channels", "rules")}
    if json:
        print(orjson.dumps({"valid": True, "version": playbook.version, **counts}).decode())
        return
    print(f"playbook {playbook.version} is valid: {', '.join(f'{count} {name}' for name, count in counts.items())}")


@app.command()
def explain(
    file: Path = FILE,
    text: str = typer.Option(..., help="The message."),
    label: str = typer.Option("", help="Take this label as sure, instead of asking the champion."),
    channel: str = typer.Option("", help="Where it was written."),
    reach: int = typer.Option(None, min=0, help="How many people the author reaches."),
    customer_tier: str = typer.Option("", help="The customer's tier."),
    sentiment: str = typer.Option("", help="The sentiment the caller found."),
    model: str = typer.Option("", help="Bundle folder or registry address; the champion if left out."),
    json: bool = JSON,
) -> None:
    """Show step by step which part of the playbook sends a message where."""
    import orjson

    from data.messages import Message
    from serving.explain import explain as explain_route
    from serving.facts import CallerFacts

    playbook = _load(file)
    message = Message(text, "explained", channel=channel)
    judgement = _assume(label) if label else _ask(model, text)
    steps, verdict = explain_route(judgement, message, CallerFacts(reach, customer_tier, sentiment), playbook)
    if json:
        print(
            orjson.dumps(
                {"steps": steps, "decision": verdict.outcome, "reason": verdict.reason, "route": verdict.route}
            ).decode()
        )
        return
    for step in steps:
        print(f"{'->' if step.applied else '  '} {step.name}: {step.because}")
    route = verdict.route
    within = f"within {route.respond_within_s} s" if route.respond_within_s else "no reply owed"
    print(
        f"=> {verdict.outcome}: {route.team}, tier {route.tier}, {route.priority}, {within}; {route.next_best_action}"
    )


def _load(file: Path | None) -> "Playbook":
    from configs.paths import CONFIGS
    from configs.playbook import load_playbook

    return load_playbook(file or CONFIGS / "playbook.yaml")


def _assume(label: str) -> "Judgement":
    from configs.errors import SwitchboardError
    from configs.taxonomy import load_taxonomy
    from training.policy import Judgement

    if label not in load_taxonomy().labels:
        raise SwitchboardError(f"unknown label {label!r}; use one of {', '.join(load_taxonomy().labels)}")
    return Judgement(label, 1.0, "auto", None, 0.0)


def _ask(model: str, text: str) -> "Judgement":
    from flows.locate import locate_bundle
    from serving.decisions import Decider
    from training.predictor import Predictor

    decider = Decider(Predictor(locate_bundle(model)), _load(None))
    return decider.score([decider.clean(text)])[0].judgement
