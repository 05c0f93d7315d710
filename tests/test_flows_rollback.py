"""One step back at once: from what is published, by digest, whatever the registry knows by now."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from configs.errors import SwitchboardError
from configs.paths import published_dir
from switchboard import app
from tests.bundles import make_bundle
from training.bundle import MODEL, bundle_digest
from training.publish import champion_folder, publish, read_audit, read_champion
from training.registry import CHAMPION, Registry

NAMES = "ABC"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return {name: make_bundle(folder / name, name=name) for name in NAMES}


def _roll_back() -> Result:
    return CliRunner().invoke(app, ["rollback", "--why", "worse"])


def _publish(bundles: dict[str, Path], **trail: str) -> None:
    for name, version in trail.items():
        publish(bundles[name], version, published_dir(), verdict=f"of {name}")


def _register(registry: Registry, bundle: Path) -> str:
    with registry.run(bundle.name) as run:
        return registry.register(run, bundle, {})


def _champion() -> tuple[str, str]:
    champion = read_champion(published_dir())
    assert champion is not None
    return champion.version, champion.name


def _damage(folder: Path) -> None:
    model = bytearray((folder / MODEL).read_bytes())
    model[len(model) // 2] ^= 1
    (folder / MODEL).write_bytes(model)


def test_it_needs_no_registry(bundles: dict[str, Path], var_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    _publish(bundles, A="1", B="2")
    done = _roll_back()
    assert done.exit_code == 0 and _champion() == ("1", "A")
    told = [line for line in done.stderr.splitlines() if "the registry's alias 'champion' was not moved" in line]
    assert len(told) == 1 and "http://127.0.0.1:9" in told[0]
    last = read_audit(published_dir())[-1]
    assert (last.action, last.previous, last.reason, last.verdict) == ("rollback", "2", "worse", "of A")


def test_no_registry_is_made_for_it(bundles: dict[str, Path], var_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    _publish(bundles, A="1", B="2")
    assert _roll_back().exit_code == 0 and _champion() == ("1", "A")
    assert not (var_dir / "mlflow.db").exists()


def test_numbers_that_began_anew_name_no_other_model(bundles: dict[str, Path], registry: Registry):
    _publish(bundles, A="1", B="2")
    other = _register(registry, bundles["C"])
    assert other == "1" and _roll_back().exit_code == 0 and _champion() == ("1", "A")
    assert CHAMPION not in registry.find(other).aliases


def test_the_alias_follows_the_digest_not_the_number(bundles: dict[str, Path], registry: Registry):
    _publish(bundles, A="7", B="8")
    _register(registry, bundles["C"])
    again = _register(registry, bundles["A"])
    assert _roll_back().exit_code == 0 and _champion() == ("7", "A")
    assert CHAMPION in registry.find(again).aliases


def test_two_models_of_one_number_are_two_champions(bundles: dict[str, Path], var_dir: Path):
    _publish(bundles, A="1", B="1")
    assert _roll_back().exit_code == 0 and _champion() == ("1", "A")


def test_a_damaged_copy_comes_from_the_registry_by_its_digest(bundles: dict[str, Path], registry: Registry):
    _publish(bundles, A="1", B="2")
    _register(registry, bundles["C"])
    _damage(published_dir() / f"v1-{bundle_digest(bundles['A'])[:12]}")
    refused = _roll_back()
    assert isinstance(refused.exception, SwitchboardError) and _champion() == ("2", "B")
    assert "version 1" in str(refused.exception) and len(read_audit(published_dir())) == 2
    _register(registry, bundles["A"])
    assert _roll_back().exit_code == 0 and _champion() == ("1", "A")
    assert bundle_digest(champion_folder(published_dir())) == bundle_digest(bundles["A"])
