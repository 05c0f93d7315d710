"""The serving process without HTTP: the model that follows the champion, the batcher before it and what is counted."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from configs.playbook import Playbook
from configs.processors import usable_processors
from configs.serving import ServingSettings
from serving.answers import Answer, answer_batch, tokens_of
from serving.batching import Batcher, Ticket
from serving.champion import Follower
from serving.errors import ApiError
from serving.metrics import Metrics
from serving.model import ServedModel

_SHARING = 2  # processors at most that share a text that comes alone; more were not measured


def scoring_threads(settings: ServingSettings) -> int:
    """Return how many batches are scored side by side: one a processor, and where there is one, a second reads meanwhile."""
    return settings.threads or max(2, usable_processors())


def _sharing(settings: ServingSettings) -> int:
    return min(_SHARING, usable_processors(), scoring_threads(settings))


class Desk:
    """Takes messages of one call, gives their answers in order.

    `on_answers` sees each call's answers once; `on_gauges` is called before the gauges are read.
    """

    def __init__(
        self,
        settings: ServingSettings,
        playbook: Playbook,
        published: Path,
    ) -> None:
        self.settings = settings
        self.playbook = playbook
        self.metrics = Metrics()
        self.stopping = False
        self.on_answers: Callable[[ServedModel, Sequence[Answer], str, str], None] = lambda *_: None
        self.on_gauges: Callable[[], None] = lambda: None
        self.follower = Follower(
            published, playbook, _sharing(settings), settings.cache_entries, settings.follow_seconds,
            on_swap=self._swapped, on_failure=lambda problem: self.metrics.swap_failures.inc(),
        )  # fmt: skip
        self.batcher: Batcher[Any] = Batcher(
            self._compute, settings.batch_tokens, settings.limits.queue_messages, self._count_batch,
            scoring_threads(settings),
        )  # fmt: skip

    def start(self) -> None:
        """Begin to follow the champion; ready once it is verified."""
        self.batcher.start()
        self.follower.start()

    def stop(self) -> None:
        """Finish what was accepted and stop."""
        self.stopping = True
        self.follower.stop()
        self.batcher.close()

    def model(self) -> ServedModel:
        """Return the model in service, or refuse with what is wrong."""
        if self.follower.model is None:
            raise ApiError(
                "not_ready", f"no model in service: {self.follower.problem or 'the champion is being loaded'}"
            )
        return self.follower.model

    async def classify(self, messages: Sequence[Any], request_id: str, caller: str) -> tuple[ServedModel, list[Answer]]:
        """Return the answers to one call's messages and the model that gave them, the same for all."""
        model = self.model()
        max_tokens = model.decider.predictor.info.max_tokens
        sizes = [tokens_of(fields, max_tokens) for fields in messages]
        answers = await self.batcher.submit(messages, sizes, self.settings.limits.deadline_s, model)
        self._count_answers(answers)
        self.on_answers(model, answers, request_id, caller)
        return model, answers

    def refresh_gauges(self) -> None:
        """Bring up to date what is only read when somebody looks."""
        self.metrics.queue.set(self.batcher.jobs_waiting)
        if self.follower.model is not None:
            self.metrics.cache_entries.set(len(self.follower.model.cache))
        self.on_gauges()

    def _compute(self, parts: list[tuple[Ticket[Any], Sequence[Any]]]) -> list[list[Any]]:
        """Return the answers of each part, scored together by the model that each call was accepted for."""
        answers: list[list[Any]] = [[] for _ in parts]
        models: dict[int, ServedModel] = {id(ticket.context): ticket.context for ticket, _ in parts}
        for key, model in models.items():
            mine = [number for number, (ticket, _) in enumerate(parts) if id(ticket.context) == key]
            batch = answer_batch(model, [parts[number][1] for number in mine], self.settings.limits.max_characters)
            for number, found in zip(mine, batch.answers, strict=True):
                answers[number] = found
            self.metrics.scored.inc(batch.scored)
            self.metrics.cached.inc(batch.cached)
        return answers

    def _swapped(self, model: ServedModel) -> None:
        self.metrics.name_model(model.versions)
        self.metrics.swaps.inc()

    def _count_batch(self, jobs: int, tokens: int, seconds: float) -> None:
        self.metrics.batch_messages.observe(jobs)
        self.metrics.batch_seconds.observe(seconds)
        self.metrics.tokens.inc(tokens)

    def _count_answers(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            if answer.decision is None:
                self.metrics.item_errors.inc()
            else:
                decision = answer.decision
                self.metrics.decisions.labels(decision.label, decision.outcome, decision.reason or "").inc()
