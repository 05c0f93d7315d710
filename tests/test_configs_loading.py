"""Configuration files: frozen, typed, and a mistake is one line with file, key, value and remedy."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from configs.errors import SwitchboardError
from configs.loading import Config, load_config


class Inner(Config):
    rate: float = 1.0
    names: tuple[str, ...] = ()


class Outer(Config):
    epochs: int = 1
    inner: Inner = Inner()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "outer.yaml"
    path.write_text("epochs: 3\ninner: {rate: 0.5}\n", encoding="utf-8")
    return path


def test_values_and_defaults_are_read(file: Path):
    found = load_config(Outer, file)
    assert found == Outer(epochs=3, inner=Inner(rate=0.5))
    with pytest.raises(ValidationError):
        found.epochs = 4


def test_overrides_reach_into_nested_keys_and_are_read_as_yaml(file: Path):
    found = load_config(Outer, file, ("epochs=5", "inner.rate=1e-1", "inner.names=[a, b]"))
    assert found == Outer(epochs=5, inner=Inner(rate=0.1, names=("a", "b")))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("epoch=3", "unknown key 'epoch'; did you mean 'epochs'?"),
        ("inner.rat=3", "unknown key 'inner.rat'; did you mean 'rate'?"),
        ("zzz=3", "unknown key 'zzz'; known keys: epochs, inner"),
        ("epochs=many", "epochs: Input should be a valid integer"),
        ("epochs", "is not an override; write key=value"),
        ("=3", "is not an override; write key=value"),
        ("epochs.deep=3", "'epochs' holds a single value"),
        ("epochs=[1", "the value cannot be read as YAML"),
        ("inner={rate: 1, rate: 2}", "'inner={rate: 1, rate: 2}': line 1: the key 'rate' is in line 1 already"),
    ],
)
def test_a_wrong_override_is_refused_in_one_line(file: Path, override: str, said: str):
    with pytest.raises(SwitchboardError, match=r"^[^\n]+$") as caught:
        load_config(Outer, file, (override,))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [("epochs: [1", "not valid YAML"), ("- 1\n", "expected keys and values"), ("epoch: 2", "did you mean 'epochs'?")],
)
def test_a_broken_file_is_refused_by_its_name(tmp_path: Path, text: str, said: str):
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SwitchboardError) as caught:
        load_config(Outer, path)
    assert said in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epochs: 1\ninner: {}\nepochs: 2\n", "line 3: the key 'epochs' is in line 1 already; keep one of them"),
        ("inner:\n  rate: 1\n  'rate': 2\n", "line 3: the key 'rate' is in line 2 already; keep one of them"),
    ],
)
def test_a_key_that_stands_twice_is_refused_by_file_line_and_name(tmp_path: Path, text: str, said: str):
    path = tmp_path / "twice.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SwitchboardError) as caught:
        load_config(Outer, path)
    assert str(caught.value) == f"{path}: {said}"


def test_a_merged_key_may_be_given_anew(tmp_path: Path):
    path = tmp_path / "merged.yaml"
    path.write_text("inner: {<<: {rate: 2, names: [a]}, rate: 3}\n", encoding="utf-8")
    assert load_config(Outer, path).inner == Inner(rate=3, names=("a",))


def test_a_missing_file_is_named_and_an_empty_one_means_defaults(tmp_path: Path):
    with pytest.raises(SwitchboardError, match="no such configuration file"):
        load_config(Outer, tmp_path / "absent.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n", encoding="utf-8")
    assert load_config(Outer, tmp_path / "empty.yaml") == Outer()


def test_a_file_in_another_encoding_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "outer.yaml"
    path.write_bytes(b"epochs: \xff\n")
    with pytest.raises(SwitchboardError, match=r"outer\.yaml: not UTF-8 at byte 8"):
        load_config(Outer, path)
