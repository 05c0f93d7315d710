"""One serving process put together from its settings."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from starlette.applications import Starlette

from configs.paths import published_dir, var_dir
from configs.playbook import load_playbook
from configs.serving import ServingSettings, load_serving
from data.ledger import open_ledger
from serving.answers import Answer
from serving.app import build_app
from serving.decision_log import DecisionLog
from serving.desk import Desk
from serving.endpoints import Endpoints
from serving.feedback import FeedbackDesk
from serving.keys import load_keys
from serving.ledger_writer import LedgerWriter
from serving.model import ServedModel
from serving.records import Record, to_record
from serving.retention import Retention
from serving.spill import Spill


def assemble(settings: ServingSettings | None = None) -> Starlette:
    """Return the application; nothing starts before it is served."""
    settings = settings or load_serving()
    desk = Desk(settings, load_playbook(), published_dir())
    writer = LedgerWriter(open_ledger)
    spill = Spill(var_dir() / "spill", settings.max_spill_bytes)
    retention = Retention(settings.keep_decisions_days, settings.labelling_window_days)
    log = DecisionLog(writer, spill, desk.metrics, settings.log_queue, lambda: retention.keep(writer.ledger()))
    feedback = FeedbackDesk(log.put, _finder(spill))
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


def _finder(spill: Spill) -> Callable[[str], str | None]:
    reader = LedgerWriter(open_ledger)

    def find(decision_id: str) -> str | None:
        found = reader.ledger().decisions.get([decision_id]).get(decision_id)
        return found.message_id if found else None if spill else ""

    return find
