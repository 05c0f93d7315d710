"""`switchboard label listen` and `watch`: rounds of pulling, with or without training, until stopped."""

import logging
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from commands.progress import say
from configs.errors import SwitchboardError
from configs.labeling import Labeling
from configs.recipe import load_recipe
from configs.taxonomy import Taxonomy

if TYPE_CHECKING:
    from flows.watch import RetrainResult

log = logging.getLogger("switchboard.watch")

Retrain = Callable[[str], "RetrainResult"]


def run_watch(
    labeling: Labeling, taxonomy: Taxonomy, retrain: Retrain | None, *, listen_on: tuple[str, int] | None = None,
    public_url: str = "", once: bool = False,
) -> None:  # fmt: skip
    """Run rounds until SIGTERM or Ctrl+C, nudged by the webhook where one is listened to.

    A pull or training under way is left off: the one is continued by the next pull, the other begun again.
    """
    from data.ledger import open_ledger
    from flows.suspects import review_contradictions
    from flows.watch import Watcher
    from labeling.client import connect
    from labeling.known import opened
    from labeling.listen import listening, register_webhook, webhook_secret
    from labeling.project import find_project
    from labeling.pull import pull
    from labeling.push import push

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        client = stack.enter_context(connect(labeling.patience_s))
        ledger = stack.enter_context(open_ledger())

        def pull_once() -> int:
            with opened() as known:
                pulled = pull(client, ledger, labeling, taxonomy, known)
                if contradicted := review_contradictions(ledger):
                    push(client, ledger, labeling, taxonomy, known)
                    log.info("%d labels that feedback contradicts went back for a second look", contradicted)
            new = pulled.labels + pulled.retracted
            if new or pulled.skips:
                log.info("pulled %d labels, %d skips", new, pulled.skips)
            return new

        watcher = Watcher(ledger, labeling.watch, pull_once, retrain)
        if once:
            watcher.round()
            return
        if listen_on:
            secret = webhook_secret()
            address = stack.enter_context(listening(*listen_on, secret, watcher.nudge))
            register_webhook(client, find_project(client, labeling, taxonomy), public_url or address, secret)
            print(f"listening at {address}; stop with Ctrl+C", file=sys.stderr)
        watcher.run()


def load_retrain(recipe: str) -> Retrain:
    """Return the flow that trains a challenger by a recipe, which must be there now and not only when labels have come."""
    try:
        from flows.retrain import retrain
    except ImportError as error:
        raise SwitchboardError(f"training is not installed ({error}); run `make install`") from None
    load_recipe(recipe)
    return partial(retrain, recipe_name=recipe, say=say)
