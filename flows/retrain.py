"""New labels become a challenger: a snapshot of the ledger, a training on it, the gate's verdict."""

from dataclasses import dataclass

from configs.labeling import load_labeling
from configs.recipe import load_recipe
from data.ledger import open_ledger
from data.snapshotting import make_snapshot
from flows.model import Say, promote_version, train_version
from flows.training_set import customer_training_set
from training.registry import Registry


@dataclass(frozen=True, slots=True)
class Retrained:
    """The challenger that came of a retraining: its version, whether the gate passed it, whether it serves already."""

    version: str
    passed: bool
    promoted: bool


def retrain(reason: str, recipe_name: str = "full", say: Say = lambda line: None) -> Retrained:
    """Snapshot the ledger, train beside the seed corpus and register a challenger.

    It is promoted here only where `watch.promote` in configs/labeling.yaml says that passing the gate suffices.
    A training that fails leaves the champion, the registry and the ledger as they were.
    """
    say(f"retraining: {reason}")
    with open_ledger() as ledger:
        snapshot = make_snapshot(ledger, on_mended=lambda damage: say(f"mended a damaged snapshot: {damage}"))
    recipe = load_recipe(recipe_name)
    registry = Registry()
    new = train_version(recipe, customer_training_set(recipe, str(snapshot.folder)), say, registry)
    promoted = new.verdict.passed and load_labeling().watch.promote
    if promoted:
        promote_version(registry, new.version, say, reason=reason)
    return Retrained(new.version.version, new.verdict.passed, promoted)
