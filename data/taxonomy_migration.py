"""Taking the ledger to a changed taxonomy: labels renamed, merged or dropped; events stay as they were said."""

from dataclasses import dataclass
from pathlib import Path

from configs.errors import SwitchboardError
from configs.loading import Config, load_config
from configs.taxonomy import NONE, Taxonomy, load_taxonomy
from data.ledger import Ledger


class MigrationFile(Config):
    """From which version to which, and what becomes of each old label (null: no label; unnamed ones keep their name)."""

    from_version: str
    to_version: str
    labels: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Migrated:
    """What each label of the version before reads as now, and how many events said it."""

    from_version: str
    to_version: str
    labels: dict[str, str | None]
    events: dict[str, int]


def migrate(ledger: Ledger, path: Path, taxonomy: Taxonomy | None = None, *, dry_run: bool = False) -> Migrated:
    """Put the configured taxonomy in force; every old label must have somewhere to go."""
    taxonomy = taxonomy or load_taxonomy()
    file = load_config(MigrationFile, path)
    current = ledger.taxonomies.current()
    if current is None:
        raise SwitchboardError("the ledger has no labels yet; there is nothing to migrate")
    _check_versions(ledger, file, path, current, taxonomy)
    mapping = _full_mapping(file, path, ledger.taxonomies.labels(current) or (), taxonomy)
    if not dry_run:
        ledger.taxonomies.adopt(taxonomy, mapping)
    return Migrated(current, taxonomy.version, mapping, ledger.events.counts(current))


def _check_versions(ledger: Ledger, file: MigrationFile, path: Path, current: str, taxonomy: Taxonomy) -> None:
    if current == taxonomy.version:
        raise SwitchboardError(
            f"the ledger is at taxonomy {current!r} already; give the changed one a new version first"
        )
    if ledger.taxonomies.labels(taxonomy.version) is not None:
        raise SwitchboardError(
            f"taxonomy {taxonomy.version!r} was in force in this ledger before, and {current!r} came after it; give the "
            "configured one a new version"
        )
    if (file.from_version, file.to_version) != (current, taxonomy.version):
        raise SwitchboardError(
            f"{path}: leads from taxonomy {file.from_version!r} to {file.to_version!r}, but the ledger is at {current!r} "
            f"and the configuration at {taxonomy.version!r}"
        )


def _full_mapping(file: MigrationFile, path: Path, old: tuple[str, ...], taxonomy: Taxonomy) -> dict[str, str | None]:
    unknown = sorted(set(file.labels) - set(old))
    if unknown:
        raise SwitchboardError(
            f"{path}: {unknown[0]!r} is no label of taxonomy {file.from_version!r}: {', '.join(old)}"
        )
    mapping = {label: file.labels.get(label, label) for label in old}
    for label, now in mapping.items():
        if now is not None and now not in (*taxonomy.labels, NONE):
            raise SwitchboardError(
                f"{path}: {label!r} would become {now!r}, which taxonomy {taxonomy.version!r} lacks; name one of "
                f"{', '.join(taxonomy.annotation_values)}, or null to drop it"
            )
    return mapping
