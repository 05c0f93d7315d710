"""Where labelled messages come from: a file, a local `datasets` folder, or a data set on the Hugging Face hub."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.errors import SwitchboardError
from configs.paths import var_dir
from data.mapping import ImportMapping
from data.readers import FORMATS, check_readable, read_rows
from data.rows import Row

_SAVED = ("dataset_info.json", "dataset_dict.json", "state.json")


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that can be read again and again; `fingerprint` tells whether they are the same as another time."""

    name: str
    place: str
    fingerprint: str
    rows: Callable[[], Iterator[Row]]
    total: int | None = None


def open_source(target: str, mapping: ImportMapping, split: str = "") -> Source:
    """Return the source that a path or a data set id names."""
    path = Path(target)
    if path.is_dir():
        return _from_datasets(target, path, split)
    if path.exists() or path.suffix.lower() in FORMATS:
        check_readable(path)
        return Source(path.stem, target, _digest(path), lambda: _read_file(path, mapping))
    if path.suffix and not path.suffix[1:].isdigit() and "/" not in target:
        check_readable(path)
    return _from_datasets(target, None, split)


def datasets_cache() -> Path:
    """Return where `datasets` keeps its copies, so that forgetting a person reaches them."""
    return var_dir() / "datasets"


def _read_file(path: Path, mapping: ImportMapping) -> Iterator[Row]:
    return read_rows(path, encoding=mapping.encoding, text_column=mapping.column("text"))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_datasets(target: str, folder: Path | None, split: str) -> Source:
    parts = _load(target, folder)
    chosen = {name: part for name, part in parts.items() if not split or name == split}
    if not chosen:
        raise SwitchboardError(f"{target}: has no split {split!r}; it has {', '.join(map(str, parts))}")
    fingerprint = hashlib.sha256("".join(f"{name}:{part._fingerprint}" for name, part in chosen.items()).encode())
    total = sum(part.num_rows for part in chosen.values())
    return Source(
        Path(target).name if folder else target, target, fingerprint.hexdigest(), lambda: _read(chosen), total
    )


def _load(target: str, folder: Path | None) -> dict[str, Any]:
    """Return the splits of a data set, by name."""
    try:
        import datasets
    except ImportError:
        raise SwitchboardError(f"{target}: reading it needs `datasets`; install the training dependencies") from None
    try:
        if folder and any((folder / name).exists() for name in _SAVED):
            loaded = datasets.load_from_disk(str(folder))
        else:
            loaded = datasets.load_dataset(target, cache_dir=str(datasets_cache()))
    except Exception as error:  # whatever the library, the hub or the network raises, a person reads one line of it
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        kind = "folder" if folder else "file or Hugging Face data set"
        raise SwitchboardError(f"{target}: no {kind} that can be read: {reason}") from None
    return {str(name): part for name, part in loaded.items()} if isinstance(loaded, dict) else {"all": loaded}


def _read(parts: dict[str, Any]) -> Iterator[Row]:
    number = 0
    for part in parts.values():
        names = {name: feature.names for name, feature in part.features.items() if hasattr(feature, "names")}
        for fields in part:
            number += 1
            named = {name: _name(value, names.get(name)) for name, value in fields.items() if value is not None}
            yield Row(number, named)


def _name(value: Any, names: list[str] | None) -> Any:
    """Return a class number as the name it stands for."""
    return names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value
