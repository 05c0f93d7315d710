"""Publishing: verified, whole, behind one pointer; every change audited; one step back at once."""

import os
import pwd
import shutil
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from tests.bundles import make_bundle
from training.bundle import BundleError, verify
from training.publish import (
    AUDIT,
    POINTER,
    champion_folder,
    last_champion,
    previous_champion,
    publish,
    read_audit,
    read_champion,
)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return {version: make_bundle(folder / version, name=f"tiny-{version}") for version in "123"}


def test_before_the_first_promotion_it_is_said_what_to_do(tmp_path: Path):
    assert read_champion(tmp_path) is None
    with pytest.raises(SwitchboardError, match=r"no champion yet .* run `make model`"):
        champion_folder(tmp_path)
    with pytest.raises(SwitchboardError, match="nothing to roll back to"):
        previous_champion(tmp_path)


def test_the_pointer_names_a_verified_copy(bundles: dict[str, Path], tmp_path: Path):
    champion = publish(bundles["1"], "1", tmp_path)
    assert read_champion(tmp_path) == champion and champion.name == "tiny-1"
    assert verify(champion_folder(tmp_path)) == champion.digest == verify(bundles["1"])


def test_every_change_is_audited_with_what_was_before(bundles: dict[str, Path], tmp_path: Path):
    publish(bundles["1"], "1", tmp_path, by="ann", reason="first")
    publish(bundles["2"], "2", tmp_path, action="force", by="bob", reason="hurry")
    first, second = read_audit(tmp_path)
    assert (first.action, first.version, first.previous, first.by, first.reason) == (
        "promote",
        "1",
        None,
        "ann",
        "first",
    )
    assert (second.action, second.version, second.previous, second.by, second.reason) == (
        "force",
        "2",
        "1",
        "bob",
        "hurry",
    )


def test_a_damaged_bundle_changes_nothing(bundles: dict[str, Path], tmp_path: Path):
    publish(bundles["1"], "1", tmp_path / "published")
    damaged = Path(shutil.copytree(bundles["2"], tmp_path / "damaged"))
    (damaged / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(BundleError):
        publish(damaged, "2", tmp_path / "published")
    champion = read_champion(tmp_path / "published")
    assert champion is not None and champion.version == "1"
    assert len(read_audit(tmp_path / "published")) == 1
    assert not list((tmp_path / "published").glob(".incoming-*"))


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_publishing_again_mends_a_damaged_copy(bundles: dict[str, Path], tmp_path: Path, name: str, damage: str):
    publish(bundles["1"], "1", tmp_path)
    path = champion_folder(tmp_path) / name
    path.write_text("{}", encoding="utf-8") if damage == "changed" else path.unlink()
    publish(bundles["1"], "1", tmp_path)
    verify(champion_folder(tmp_path))


def test_a_broken_pointer_is_named(tmp_path: Path):
    (tmp_path / POINTER).write_text('{"folder": 3}', encoding="utf-8")
    with pytest.raises(SwitchboardError, match="not a champion pointer"):
        read_champion(tmp_path)


@pytest.mark.parametrize("damage", ["damaged", "missing"])
def test_publishing_mends_the_pointer_and_knows_from_the_trail_what_was_before(
    bundles: dict[str, Path], tmp_path: Path, damage: str
):
    for version in "12":
        publish(bundles[version], version, tmp_path)
    trail, before = read_audit(tmp_path), read_champion(tmp_path)
    (tmp_path / POINTER).write_bytes(b"\0{half") if damage == "damaged" else (tmp_path / POINTER).unlink()
    found = last_champion(tmp_path)
    assert found and before and (found.folder, found.digest, found.version) == (before.folder, before.digest, "2")
    champion = publish(bundles["3"], "3", tmp_path, reason="better")
    assert read_champion(tmp_path) == champion
    *kept, last = read_audit(tmp_path)
    assert kept == trail
    assert (last.version, last.previous, last.reason) == ("3", "2", f"better; champion.json was {damage}")
    assert previous_champion(tmp_path).version == "2"


def test_without_a_trail_a_damaged_pointer_is_left_to_a_person(bundles: dict[str, Path], tmp_path: Path):
    (tmp_path / POINTER).write_text("{half")
    with pytest.raises(SwitchboardError, match=r"no audit trail .* move it away"):
        publish(bundles["1"], "1", tmp_path)
    assert (tmp_path / POINTER).read_text() == "{half" and not (tmp_path / AUDIT).exists()


def test_a_damaged_trail_is_named_and_left_alone(bundles: dict[str, Path], tmp_path: Path):
    publish(bundles["1"], "1", tmp_path)
    torn = (tmp_path / AUDIT).read_text() + '{"at": "20'
    (tmp_path / AUDIT).write_text(torn)
    (tmp_path / POINTER).write_text("{half")
    with pytest.raises(SwitchboardError, match=r"audit\.jsonl, line 2: no audit entry"):
        publish(bundles["2"], "2", tmp_path)
    assert (tmp_path / AUDIT).read_text() == torn


def _roll_back(bundles: dict[str, Path], published: Path) -> str:
    version = previous_champion(published).version
    publish(bundles[version], version, published, action="rollback")
    return version


def test_rolling_back_goes_one_step_and_then_one_more(bundles: dict[str, Path], tmp_path: Path):
    for version in "123":
        publish(bundles[version], version, tmp_path)
    assert _roll_back(bundles, tmp_path) == "2"
    assert _roll_back(bundles, tmp_path) == "1"
    with pytest.raises(SwitchboardError, match="nothing to roll back to"):
        previous_champion(tmp_path)


def test_a_rolled_back_version_is_not_gone_back_to(bundles: dict[str, Path], tmp_path: Path):
    for version in "12":
        publish(bundles[version], version, tmp_path)
    _roll_back(bundles, tmp_path)
    publish(bundles["3"], "3", tmp_path)
    assert previous_champion(tmp_path).version == "1"


def test_promoting_the_champion_again_is_no_step(bundles: dict[str, Path], tmp_path: Path):
    for version in ("1", "2", "2"):
        publish(bundles[version], version, tmp_path)
    assert previous_champion(tmp_path).version == "1"


def test_a_step_is_told_by_digest(bundles: dict[str, Path], tmp_path: Path):
    publish(bundles["1"], "1", tmp_path)
    publish(bundles["1"], "4", tmp_path)  # the same model, registered anew
    with pytest.raises(SwitchboardError, match="nothing to roll back to"):
        previous_champion(tmp_path)
    publish(bundles["2"], "4", tmp_path)  # another model of the same number
    assert previous_champion(tmp_path).digest == verify(bundles["1"])
    publish(bundles["3"], "1", tmp_path, action="rollback")  # what a rollback by number once did
    assert previous_champion(tmp_path).digest == verify(bundles["1"])


def test_who_changed_the_champion_is_known_without_a_user_variable(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("SWITCHBOARD_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    publish(bundles["1"], "1", tmp_path)
    monkeypatch.setenv("SWITCHBOARD_USER", "deploy bot")
    publish(bundles["2"], "2", tmp_path)
    first, second = read_audit(tmp_path)
    assert first.by in {pwd.getpwuid(os.getuid()).pw_name, f"user {os.getuid()}"} and second.by == "deploy bot"
