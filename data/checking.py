"""Whether training may start on some rows, and what a person should look at first."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from configs.dataset import Checks, DatasetConfig, load_dataset_config
from configs.taxonomy import NONE, load_taxonomy
from data.inspection import Facts, Tally, inspect
from data.parsing import BadRow, to_labelled
from data.readers import read_rows
from data.snapshot import CUSTOMER, SnapshotRow

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; an `error` means that training must not start."""

    level: Literal["error", "warning"]
    check: str
    text: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The counts and what was found in them."""

    rows: int
    labels: dict[str, int]
    sides: dict[str, dict[str, int]]
    kinds: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def may_train(self) -> bool:
        """Whether nothing found forbids training."""
        return all(finding.level != "error" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return the report for machines."""
        return asdict(self) | {"may_train": self.may_train}


def check(rows: Iterable[SnapshotRow], config: DatasetConfig | None = None) -> CheckReport:
    """Return what is found in labelled rows: of the ledger, a snapshot or a file (whose rows have no side)."""
    config = config or load_dataset_config()
    facts = inspect(rows, config.near_duplicate)
    findings = [*_labels(facts, config.checks), *_sides(facts, config.checks), *_texts(facts, config.checks)]
    sides = {side: dict(sorted(labels.items())) for side, labels in sorted(facts.sides.items())}
    ordered = sorted(findings, key=lambda finding: finding.level)
    return CheckReport(facts.rows, dict(sorted(facts.labels.items())), sides, dict(facts.kinds), tuple(ordered))


def check_file(path: Path, config: DatasetConfig | None = None) -> CheckReport:
    """Return what is found in a labelled file, rows that cannot be read among it."""
    bad: list[str] = []
    report = check(_rows_of(path, bad), config)
    if not bad:
        return report
    text = f"{len(bad)} rows cannot be used; the first: {bad[0]}"
    return replace(report, findings=(Finding("error", "rows", text, tuple(bad[1:_EXAMPLES])), *report.findings))


def _rows_of(path: Path, bad: list[str]) -> Iterator[SnapshotRow]:
    for row in read_rows(path):
        try:
            read = to_labelled(row, load_taxonomy())
        except BadRow as error:
            bad.append(f"{path}, line {row.number}: {error}")
            continue
        yield SnapshotRow(
            read.message, read.label, read.second, CUSTOMER, "import", disputed=False, side="", near_group=""
        )


def _labels(facts: Facts, checks: Checks) -> Iterable[Finding]:
    known = load_taxonomy().labels
    for label in sorted(set(facts.labels) - {*known, NONE}):
        yield Finding("error", "labels", f"{facts.labels[label]} rows are labelled {label!r}, which the taxonomy lacks")
    training = facts.sides.get("train") or facts.sides.get("") or {}
    missing = [label for label in known if not training.get(label)]
    if missing:
        yield Finding("error", "balance", f"no training rows for {', '.join(missing)}")
    for label in known:
        if 0 < training.get(label, 0) < checks.min_per_label:
            text = f"only {training[label]} training rows for {label}; {checks.min_per_label} or more teach it"
            yield Finding("warning", "balance", text)
    present = [training[label] for label in known if training.get(label)]
    if present and max(present) > checks.max_ratio * min(present):
        yield Finding(
            "warning", "balance", f"the most frequent label has {max(present)} training rows, the rarest {min(present)}"
        )


def _sides(facts: Facts, checks: Checks) -> Iterable[Finding]:
    if facts.leaks.count:
        text = f"{facts.leaks.count} rows have their like, their author or their thread on the other side of the split"
        yield Finding("error", "leakage", text, tuple(facts.leaks.examples))
    if "test" in facts.sides or "train" in facts.sides:
        test = facts.sides.get("test", {})
        few = [label for label in load_taxonomy().labels if test.get(label, 0) < checks.min_test_per_label]
        if few:
            text = f"fewer than {checks.min_test_per_label} test rows for {', '.join(few)}; their scores say little"
            yield Finding("warning", "test side", text)
    if quarantined := sum(facts.sides.get("quarantined", {}).values()):
        yield Finding("warning", "split", f"{quarantined} rows would be on both sides and are left out of both")
    if facts.authors:
        author, count = facts.authors.most_common(1)[0]
        if count > checks.max_author_share * facts.rows and count > 1:
            yield Finding("warning", "split", f"{count} rows are by one author ({author!r}) and so all on one side")


def _texts(facts: Facts, checks: Checks) -> Iterable[Finding]:
    if not facts.rows:
        yield Finding("error", "rows", "there are no labelled rows")
    level = "error" if facts.conflicts.count > checks.max_conflict_share * facts.rows else "warning"
    yield from _tallied(facts.conflicts, level, "conflicts", "rows have the words of another row under another label")
    yield from _tallied(facts.disputed, "warning", "disputes", "rows are labelled by as many one way as another")
    yield from _tallied(facts.empty, "warning", "empty", "rows hold nothing but links, mentions or numbers")
    yield from _tallied(facts.twins, "warning", "duplicates", "rows have the words of an earlier row")
    yield from _tallied(facts.near, "warning", "near duplicates", "rows are nearly an earlier row")
    yield from _tallied(facts.foreign, "warning", "language", "rows are not English")
    yield from _tallied(
        facts.personal, "warning", "personal data", "rows hold an e-mail address, telephone or card number"
    )


def _tallied(tally: Tally, level: Literal["error", "warning"], check: str, text: str) -> Iterable[Finding]:
    if tally.count:
        yield Finding(level, check, f"{tally.count} {text}", tuple(tally.examples))
