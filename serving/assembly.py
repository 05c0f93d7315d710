"""One serving process put together from its settings."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from configs.paths import published_dir, var_dir
from configs.playbook import load_playbook
from configs.serving import ServingSettings, load_serving
from serving.answers import Answer
from serving.app import build_app
from serving.decision_log import DecisionLog
from serving.desk import Desk
from serving.endpoints import Endpoints
from serving.feedback import FeedbackDesk
from serving.keys import load_keys
from serving.model import ServedModel
from serving.records import Record, Written, to_record
from serving.retention import Retention
from serving.spill import Spill

if TYPE_CHECKING:
    from serving.ledger_writer import LedgerWriter


def assemble(settings: ServingSettings | None = None) -> Starlette:
    """Return the application; nothing starts before it is served."""
    settings = settings or load_serving()
    desk = Desk(settings, load_playbook(), published_dir())
    database = _Database()
    spill = Spill(var_dir() / "spill", settings.max_spill_bytes, desk.metrics.log_lost.inc)
    retention = Retention(settings.keep_decisions_days, settings.labelling_window_days)
    log = DecisionLog(database, spill, desk.metrics, settings.log_queue, lambda: database.keep(retention))
    reading = _Database()  # beside the writer's, which may hang
    feedback = FeedbackDesk(log.put, lambda decision_id: reading.find_message(decision_id, spill))
    desk.on_answers = _recorder(log, feedback, settings)
    desk.on_gauges = lambda: desk.metrics.log_waiting.set(len(log))
    keys = load_keys(settings.keys_file, settings.calls_per_minute)
    return build_app(desk, keys, Endpoints(desk, feedback), log.start, log.stop)


def _recorder(
    log: DecisionLog, feedback: FeedbackDesk, settings: ServingSettings
) -> Callable[[ServedModel, Sequence[Answer], str, str], None]:
    def record(model: ServedModel, answers: Sequence[Answer], request_id: str, caller: str) -> None:
        now = datetime.now(UTC)
        decided = (answer for answer in answers if answer.decision is not None)
        records: list[Record] = [
            to_record(answer, model, request_id, caller, now, settings.log_texts) for answer in decided
        ]
        feedback.remember(records)
        if settings.log_decisions:
            log.put(records)

    return record


class _Database:
    """The ledger, whose driver is imported when it is first needed: the service is ready before."""

    @cached_property
    def _writer(self) -> "LedgerWriter":
        from data.ledger import open_ledger
        from serving.ledger_writer import LedgerWriter

        return LedgerWriter(open_ledger)

    def write(self, records: Sequence[Record]) -> Written:
        """Write the records, all or none but those refused for what they say and those that wait for another."""
        return self._writer.write(records)

    def keep(self, retention: Retention) -> None:
        """Forget what is due."""
        if retention.is_due():
            retention.keep(self._writer.ledger())

    def find_message(self, decision_id: str, spill: Spill) -> str | None:
        """Return the message a decision was made on, "" if there is none such, None if it may still be spilled."""
        found = self._writer.ledger().decisions.get([decision_id]).get(decision_id)
        return found.message_id if found else None if spill else ""
