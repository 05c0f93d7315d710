"""Reading YAML into frozen models, with errors that name the file, the key, the value and the nearest known key."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from configs.errors import SwitchboardError


class Config(BaseModel):
    """The base of every configuration model: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


C = TypeVar("C", bound=Config)


def load_config(model: type[C], path: Path, overrides: Sequence[str] = ()) -> C:
    """Return the configuration in a YAML file with `key=value` overrides (dots reach into nested keys) applied."""
    if not path.is_file():
        raise SwitchboardError(f"{path}: no such configuration file")
    try:
        values = _read_yaml(path.read_text(encoding="utf-8"), str(path)) or {}
    except yaml.YAMLError as error:
        raise SwitchboardError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    except UnicodeDecodeError as error:
        raise SwitchboardError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    if not isinstance(values, dict):
        raise SwitchboardError(f"{path}: expected keys and values at the top level, found {type(values).__name__}")
    for override in overrides:
        _apply(values, override)
    return parse_config(model, values, source=str(path))


def parse_config(model: type[C], values: dict[str, Any], source: str) -> C:
    """Return the model made of `values`; a fault is one line that names `source`, key, value and remedy."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SwitchboardError(f"{source}: {_explain(model, error)}") from None


class _Loader(yaml.SafeLoader):
    """YAML's own loader keeps the last of two values under one key and says nothing; this one refuses them."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if repr(key) in lines:
                raise SwitchboardError(
                    f"{self.name}: line {line}: the key {key.value!r} is in line {lines[repr(key)]} already; keep one of them"
                )
            lines[repr(key)] = line
        return node


def _read_yaml(text: str, source: str) -> Any:
    loader = _Loader(text)
    loader.name = source
    return loader.get_single_data()


def _apply(values: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise SwitchboardError(f"{override!r} is not an override; write key=value, e.g. epochs=3")
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise SwitchboardError(f"{override!r}: {parent!r} holds a single value, it has no keys below it")
    try:
        values[last] = _read_yaml(text, repr(override))
    except yaml.YAMLError:
        raise SwitchboardError(f"{override!r}: the value cannot be read as YAML") from None


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"{where or 'the file'}: {first['msg']} (found {first['input']!r})"
    known = _fields_at(model, first["loc"][:-1])
    near = get_close_matches(str(first["loc"][-1]), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"
    return f"unknown key {where!r}; {hint}"


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the field names of the model found by following `location` through annotations."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        inner = _model_in(field.annotation)
        if inner is not None:
            model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg)) is not None), None)
