"""Taking labelled messages into the ledger: idempotent, in bounded memory, and nothing of a file with a bad row.

By default every row is checked before the first is written, so a file with one bad row changes nothing. With
`keep_good` the bad rows are reported and the others taken. A run that is cut off is finished by running it again.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.batches import batches
from data.clean import clean
from data.corpus import SEED_SOURCE
from data.import_report import ImportReport
from data.ledger import LabelEvent, Ledger, StoredEvent, StoredMessage
from data.ledger.engine import storable
from data.mapping import ImportMapping
from data.messages import LabelledMessage, Message
from data.parsing import BadRow, to_labelled, to_message
from data.rows import Row
from data.sources import Source

_BATCH = 1000
_NO_ID = "-"  # stands for an id that is not worked out, which takes longer than all the rest of checking a row
OnRows = Callable[[int], None]
Says = tuple[str, tuple[str, ...], str]  # label, other defensible ones, version of the taxonomy


def _ignore(rows: int) -> None: ...


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row understood: its message, and who says what of it; no label where it has none."""

    number: int
    message: Message
    label: str
    second: tuple[str, ...]
    annotator: str


@dataclass(frozen=True)
class Import:
    """One import to be made; `unlabelled` allows rows without a label, whose messages are kept for later."""

    source: Source
    mapping: ImportMapping
    keep_good: bool = False
    unlabelled: bool = False

    def check(self, ledger: Ledger, on_rows: OnRows = _ignore, *, quick: bool = False) -> ImportReport:
        """Return what importing would do, without writing; `quick` does not count new messages that bring no id."""
        report = ImportReport(self.source.place)
        seen: dict[int, int] = {}  # hashes of ids -> hashes of texts: about 100 bytes a row
        for batch in batches(self._entries(report, quick), _BATCH):
            named = [entry for entry in batch if entry.message.id != _NO_ID]
            stored = ledger.messages.get(entry.message.id for entry in named)
            report.forgotten += len(ledger.messages.forgotten([entry.message for entry in named]))
            for entry in named:
                key, text = hash(entry.message.id), hash(storable(entry.message.text))
                if _is_other(stored.get(entry.message.id), entry.message) or seen.get(key, text) != text:
                    report.add_bad(entry.number, _other_text(entry.message.id))
                elif key not in seen:
                    report.known_messages += entry.message.id in stored
                    report.new_messages += entry.message.id not in stored
                seen.setdefault(key, text)
            on_rows(len(batch))
        return report

    def run(self, ledger: Ledger, on_rows: OnRows = _ignore) -> ImportReport:
        """Import and return what was done; a bad row refuses the whole source unless `keep_good`."""
        if not self.keep_good:
            checked = self.check(ledger, quick=True)
            if checked.bad:
                more = f" (and {checked.bad - 1} more)" if checked.bad > 1 else ""
                raise SwitchboardError(
                    f"{checked.errors[0]}{more}; nothing was imported (--keep-good takes the good rows)"
                )
        report = ImportReport(self.source.place)
        for batch in batches(self._entries(report, quick=False), _BATCH):
            with ledger.database.writing_alone():
                self._write(ledger, batch, report)
            on_rows(len(batch))
        return report

    def _entries(self, report: ImportReport, quick: bool) -> Iterator[_Entry]:
        """Yield the good rows, counting them; bad ones are counted with their reason."""
        for raw in self.source.rows():
            report.rows += 1
            row = self.mapping.read(raw)
            if row is None:
                report.left_out += 1
                continue
            try:
                entry = self._to_entry(row, quick)
            except BadRow as error:
                report.add_bad(raw.number, str(error))
                continue
            if entry.label:
                report.labels[entry.label] += 1
            else:
                report.unlabelled += 1
            yield entry

    def _to_entry(self, row: Row, quick: bool) -> _Entry:
        fields = {"source": self.source.name} | row.fields
        if quick and not fields.get("id"):
            fields["id"] = _NO_ID
        annotator = str(fields.get("annotator") or fields["source"])
        if SEED_SOURCE in (fields["source"], annotator):
            raise BadRow(f"{SEED_SOURCE!r} names our own corpus; give another --source or --annotator")
        if row.error or fields.get("label") not in (None, "") or not self.unlabelled:
            read = self._labelled(Row(row.number, fields, row.error))
            return _Entry(row.number, read.message, read.label, read.second, annotator)
        return _Entry(row.number, to_message(fields), "", (), annotator)

    def _labelled(self, row: Row) -> LabelledMessage:
        try:
            return to_labelled(row, load_taxonomy())
        except BadRow as error:
            if "unknown label" in str(error):
                raise BadRow(f"{error}. Map it with --label '{row.fields['label']}=...'") from None
            if "no 'label'" in str(error):
                raise BadRow(
                    "no 'label'; name its column with --column label=..., or import without: --unlabelled"
                ) from None
            raise

    def _write(self, ledger: Ledger, batch: Sequence[_Entry], report: ImportReport) -> None:
        known = ledger.messages.get(entry.message.id for entry in batch)
        good = []
        for entry in batch:
            known.setdefault(entry.message.id, StoredMessage(entry.message, 0, "", ""))
            if _is_other(known[entry.message.id], entry.message):
                report.add_bad(entry.number, _other_text(entry.message.id))
            else:
                good.append(entry)
        added = ledger.messages.add(entry.message for entry in good)
        refused = ledger.messages.forgotten([entry.message for entry in good])
        report.new_messages += added.new
        report.known_messages += added.known
        report.forgotten += added.forgotten
        said = [entry for entry in good if entry.label and entry.message.id not in refused]
        report.new_labels += ledger.events.append(self._changes(said, ledger.events.of(one.message.id for one in said)))

    def _changes(self, entries: Sequence[_Entry], before: dict[str, list[StoredEvent]]) -> list[LabelEvent]:
        """Return the events that say something else than this annotator's last one on the message did.

        Their keys name the last saying of another import, so that going back to a file or mapping says it again, and a
        file that contradicts itself has the same keys each time.
        """
        last: dict[tuple[str, str], Says] = {}
        others: dict[tuple[str, str], str] = {}
        for message_id, events in before.items():
            for event in (one.event for one in events if one.event.origin == "import"):
                last[message_id, event.annotator] = (event.label, event.second, event.taxonomy_version)
                if not event.key.startswith(self._prefix):
                    others[message_id, event.annotator] = event.key
        version = load_taxonomy().version
        ends = {(one.message.id, one.annotator): (one.label, one.second, version) for one in entries}
        settled = {subject for subject, says in ends.items() if last.get(subject) == says}
        changes = []
        for entry in entries:
            subject, says = (entry.message.id, entry.annotator), (entry.label, entry.second, version)
            if subject not in settled and last.get(subject) != says:
                last[subject] = says
                said = hashlib.sha256(repr((subject, says, others.get(subject))).encode()).hexdigest()[:16]
                changes.append(LabelEvent(key=f"{self._prefix}{entry.number}:{said}", message_id=entry.message.id,
                                          annotator=entry.annotator, origin="import", label=entry.label,
                                          second=entry.second))  # fmt: skip
        return changes

    @cached_property
    def _prefix(self) -> str:
        """Return how the keys of this import begin: the same where the same rows are read in the same way."""
        identity = [self.source.fingerprint, self.mapping.model_dump(), load_taxonomy().version]
        return f"import:{hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]}:"


def _is_other(stored: StoredMessage | None, message: Message) -> bool:
    """Return whether an id stands for another text already; a text masked since counts as the same."""
    if stored is None or stored.message.text == storable(message.text):
        return False
    return clean(stored.message.text) != clean(message.text)


def _other_text(message_id: str) -> str:
    return f"id {message_id!r} already stands for another text; tell them apart with --id-prefix"
