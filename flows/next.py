"""What to label next: the decision log or a file becomes candidates, the configured mix becomes selections."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from configs.company import load_company
from configs.errors import SwitchboardError
from configs.labeling import Labeling
from configs.playbook import load_playbook
from configs.taxonomy import load_taxonomy
from data.clean import clean
from data.ledger import FILE_CALLER, Decision, Ledger, Selection
from data.messages import Message
from data.parsing import BadRow, to_message
from data.readers import Row, read_rows
from flows.embedding import embed_texts
from labeling.batch import choose
from labeling.select import Candidates

_CHUNK = 512

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A batch that now stands in the ledger, waiting for `label push`."""

    batch: str
    candidates: int
    selections: tuple[Selection, ...]

    @property
    def by_strategy(self) -> dict[str, int]:
        """How many were chosen for each reason."""
        return dict(Counter(item.strategy for item in self.selections))


def choose_next(
    ledger: Ledger, count: int, labeling: Labeling, *, since: datetime | None = None, file: Path | None = None,
    against: str = "", model: str = "", seed: int | None = None, say: Say = lambda line: None,
) -> Chosen:  # fmt: skip
    """Choose a batch from the decision log, or from a file classified now, and record it with the reasons."""
    only = _classify_into(ledger, file, model, say) if file else None
    decided = _latest_decisions(ledger, since, only)
    texts = {key: stored.message.text for key, stored in ledger.messages.get(decided).items()}
    decided = {key: decision for key, decision in decided.items() if texts.get(key)}
    if not decided:
        raise SwitchboardError(
            "no decisions to choose from; let the service answer with its decision log on, or name a file: "
            "switchboard label next N --from FILE"
        )
    say(f"{len(decided)} messages to choose from")
    seed = secrets.randbelow(2**31) if seed is None else seed
    candidates = _candidates(ledger, decided, [texts[key] for key in decided], against, labeling.pool, seed)
    choices = choose(candidates, count, labeling, seed)
    now = datetime.now(UTC)
    batch = f"b-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    selections = tuple(
        Selection(
            message_id=candidates.ids[choice.row], batch=batch, strategy=choice.strategy, reason=choice.reason,
            stratum=choice.stratum, blind=choice.blind, probability=choice.probability, at=now,
        )
        for choice in choices
    )  # fmt: skip
    ledger.selections.append(selections)
    return Chosen(batch, len(decided), selections)


def _latest_decisions(ledger: Ledger, since: datetime | None, only: set[str] | None) -> dict[str, Decision]:
    """Return each message's last decision under this taxonomy."""
    taxonomy = load_taxonomy()
    found: dict[str, Decision] = {}
    for decision in ledger.decisions.all(since=since):
        if decision.taxonomy_version == taxonomy.version and (only is None or decision.message_id in only):
            found[decision.message_id] = decision
    return found


def _candidates(
    ledger: Ledger, decided: dict[str, Decision], texts: list[str], against: str, pool: int, seed: int
) -> Candidates:
    labels, ids = load_taxonomy().labels, list(decided)
    scores = np.array([[decision.scores.get(label, 0.0) for label in labels] for decision in decided.values()])
    chosen, said = ledger.selections.of(ids), ledger.events.of(ids)
    fresh = np.array([key not in chosen and key not in said for key in ids])
    pooled = _draw_pool(fresh, pool, seed)
    rows = np.flatnonzero(pooled)
    embeddings = np.zeros((len(ids), 1), dtype=np.float32)
    other_scores = np.full_like(scores, np.nan)
    if len(rows):
        pooled_texts = [texts[row] for row in rows]
        found = embed_texts([clean(text, load_company()) for text in pooled_texts])
        embeddings = np.zeros((len(ids), found.shape[1]), dtype=np.float32)
        embeddings[rows] = found
        if against:
            other_scores[rows] = _second_opinion(pooled_texts, against)
    return Candidates(
        ids=ids,
        labels=labels,
        scores=scores,
        embeddings=embeddings,
        other_scores=other_scores,
        automatic=np.array([decision.outcome == "auto" for decision in decided.values()]),
        no_reply=np.array([decision.reason == "out_of_scope" for decision in decided.values()]),
        fresh=fresh,
        pooled=pooled,
        drawn=np.array([any(item.strategy == "random" for item in chosen.get(key, ())) for key in ids]),
        label_counts=_count_labels(ledger),
    )


def _draw_pool(fresh: np.ndarray, pool: int, seed: int) -> np.ndarray:
    """Return which fresh rows are looked at closely: all of them, or as many as the pool holds, drawn evenly."""
    rows = np.flatnonzero(fresh)
    if len(rows) > pool:
        rows = np.random.default_rng(seed).choice(rows, size=pool, replace=False)
    mask = np.zeros(len(fresh), dtype=bool)
    mask[rows] = True
    return mask


def _second_opinion(texts: list[str], against: str) -> np.ndarray:
    from flows.locate import locate_bundle
    from training.predictor import Predictor

    return Predictor(locate_bundle(against)).predict(texts).scores


def _count_labels(ledger: Ledger) -> np.ndarray:
    counts = Counter(stored.event.label for stored in ledger.events.all() if stored.event.kind == "label")
    return np.array([counts[label] for label in load_taxonomy().labels])


def _classify_into(ledger: Ledger, file: Path, model: str, say: Say) -> set[str]:
    """Classify a file's messages into the ledger, once a model, and return their ids."""
    from flows.locate import locate_bundle
    from serving.decisions import Decider
    from training.predictor import Predictor

    predictor = Predictor(locate_bundle(model))
    decider, ids, rows = Decider(predictor, load_playbook()), set[str](), read_rows(file)
    version = predictor.digest[:12]
    while part := list(islice(rows, _CHUNK)):
        messages = list(_messages(part))
        decisions = [
            Decision(
                id=f"file:{version}:{one.id}", message_id=one.id, at=datetime.now(UTC), label=one.label,
                confidence=one.confidence, scores=one.scores, outcome=one.outcome, reason=one.reason or "",
                model_version=version, taxonomy_version=predictor.info.taxonomy_version, extra={"caller": FILE_CALLER},
            )
            for one in decider.decide(messages)
        ]  # fmt: skip
        with ledger.writing():
            ledger.messages.add(messages)
            ledger.decisions.append(decisions)
        ids.update(message.id for message in messages)
        say(f"{len(ids)} messages classified")
    return ids


def _messages(rows: Sequence[Row]) -> Iterator[Message]:
    for row in rows:
        try:
            if not row.error:
                yield to_message(row.fields)
        except BadRow:
            continue
