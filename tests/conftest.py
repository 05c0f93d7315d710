"""What several rooms' tests share."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles import make_bundle
from tests.labelstudio import admin, label_studio, labelers  # noqa: F401
from tests.ledgers import ledger, ledger_url, postgres, sqlite_url  # noqa: F401
from tests.registries import empty_mlflow, registry  # noqa: F401
from tests.teams import team  # noqa: F401

# A suite that runs in the background ignores interrupts; what it starts must not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny real bundle; never change it."""
    return make_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny real base model; never change it."""
    import torch  # not at the top: most tests do without it

    from tests.tiny_base import make_base_model

    torch.set_num_threads(1)  # a tiny network gains nothing from more, and loses much where the cores are busy
    return make_base_model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test its own run-time folder."""
    monkeypatch.setenv("SWITCHBOARD_VAR", str(tmp_path / "var"))
    yield tmp_path / "var"
