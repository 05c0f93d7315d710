import json
import shutil
import threading
from pathlib import Path

import pytest

from configs.playbook import load_playbook
from serving.champion import Follower
from tests.bundles import make_bundle
from tests.serving import classify, running, wait_until
from training.bundle import GOLDEN, INFO, MODEL, TOKENIZER, seal
from training.publish import publish


@pytest.fixture(scope="module")
def stronger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "stronger", strength=5.0)


def follower(published: Path) -> Follower:
    return Follower(published, load_playbook(), 1, 10, 1.0)


def test_it_takes_a_promotion_and_a_rollback(tiny_bundle, stronger, tmp_path):
    publish(tiny_bundle, "1", tmp_path)
    it = follower(tmp_path)
    assert it.look() and it.model and it.model.champion.version == "1"
    assert not it.look()
    publish(stronger, "2", tmp_path)
    assert it.look() and it.model.champion.version == "2"
    publish(tiny_bundle, "1", tmp_path, action="rollback")
    assert it.look() and it.model.champion.version == "1"


def damage_model(folder: Path) -> None:
    data = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(data[:100] + b"\0" + data[101:])


def truncate_model(folder: Path) -> None:
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:50])


def remove_model(folder: Path) -> None:
    (folder / MODEL).unlink()


def tamper_and_seal_again(folder: Path) -> None:
    (folder / GOLDEN).write_text("")
    seal(folder)


def other_taxonomy(folder: Path) -> None:
    info = json.loads((folder / INFO).read_text())
    (folder / INFO).write_text(json.dumps({**info, "taxonomy_version": "0"}))
    seal(folder)


@pytest.mark.parametrize(("spoil", "said"), [
    (damage_model, "damaged or changed"), (truncate_model, "damaged or changed"), (remove_model, "missing"),
    (tamper_and_seal_again, "pointer says"), (other_taxonomy, "taxonomy"), (shutil.rmtree, "no such bundle folder"),
])  # fmt: skip
def test_a_spoilt_bundle_is_refused_by_name_and_the_old_one_stays(spoil, said, tiny_bundle, stronger, tmp_path):
    publish(tiny_bundle, "1", tmp_path)
    it = follower(tmp_path)
    it.look()
    champion = publish(stronger, "2", tmp_path)
    spoil(tmp_path / champion.folder)
    assert not it.look()
    assert said in it.problem
    assert it.model and it.model.champion.version == "1"


def test_golden_predictions_that_differ_are_refused(tiny_bundle, tmp_path):
    shutil.copytree(tiny_bundle, tmp_path / "b")
    rows = [json.loads(line) for line in (tmp_path / "b" / GOLDEN).read_text().splitlines()]
    rows[0]["scores"] = dict.fromkeys(rows[0]["scores"], 0.125)
    (tmp_path / "b" / GOLDEN).write_text("".join(json.dumps(row) + "\n" for row in rows))
    seal(tmp_path / "b")
    publish(tmp_path / "b", "1", tmp_path / "published")
    it = follower(tmp_path / "published")
    assert not it.look() and it.model is None
    assert "golden predictions differ" in it.problem


def test_what_a_library_raises_over_a_bundle_is_a_refusal_too(tiny_bundle, stronger, tmp_path):
    publish(tiny_bundle, "1", tmp_path / "published")
    it = follower(tmp_path / "published")
    it.look()
    shutil.copytree(stronger, tmp_path / "b")
    (tmp_path / "b" / TOKENIZER).write_text("{}")
    seal(tmp_path / "b")
    publish(tmp_path / "b", "2", tmp_path / "published")
    assert not it.look()
    assert it.problem and it.model and it.model.champion.version == "1"


def test_a_pointer_moved_by_hand_is_reported_and_not_served(tiny_bundle, stronger, tmp_path):
    publish(tiny_bundle, "1", tmp_path)
    old = (tmp_path / "champion.json").read_text()
    publish(stronger, "2", tmp_path)
    it = follower(tmp_path)
    it.look()
    (tmp_path / "champion.json").write_text(old)
    assert not it.look()
    assert "without an audit entry" in it.problem
    assert it.model and it.model.champion.version == "2"


@pytest.mark.parametrize(
    "pointer", ["", "{", "[]", '{"folder": "../x", "digest": "", "version": "1", "name": "", "published": ""}']
)
def test_a_broken_pointer_keeps_the_old_one(pointer, tiny_bundle, tmp_path):
    publish(tiny_bundle, "1", tmp_path)
    it = follower(tmp_path)
    it.look()
    (tmp_path / "champion.json").write_text(pointer)
    assert not it.look()
    assert it.problem and it.model


def test_a_swap_under_load_drops_no_call_and_no_call_mixes_models(tiny_bundle, stronger, tmp_path, monkeypatch):
    with running(tiny_bundle, monkeypatch, tmp_path) as client:
        statuses: set[int] = set()
        mixed: list[int] = []
        stop = threading.Event()

        def call() -> None:
            n = 0
            while not stop.is_set():
                n += 1
                response = classify(client, *[f"broken {n} {k}" for k in range(8)])
                statuses.add(response.status_code)
                versions = {row["model_version"] for row in response.json()["results"]}
                if versions != {response.json()["model"]["version"]}:
                    mixed.append(n)

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for version, bundle in (("2", stronger), ("1", tiny_bundle), ("2", stronger)):
            publish(bundle, version, tmp_path / "published")
            wait_until(lambda version=version: client.get("/model").json()["version"] == version)
        stop.set()
        for thread in threads:
            thread.join()
        assert (statuses, mixed) == ({200}, [])


def test_a_refused_champion_is_told_by_model_and_metrics(tiny_bundle, stronger, tmp_path, monkeypatch):
    with running(tiny_bundle, monkeypatch, tmp_path) as client:
        shutil.copytree(stronger, tmp_path / "b")
        champion = publish(tmp_path / "b", "2", tmp_path / "published")
        wait_until(lambda: client.get("/model").json()["version"] == "2")
        publish(tiny_bundle, "3", tmp_path / "published")
        wait_until(lambda: client.get("/model").json()["version"] == "3")
        remove_model(tmp_path / "published" / champion.folder)
        pointer = (tmp_path / "published" / "champion.json").read_text()
        audit = (tmp_path / "published" / "audit.jsonl").read_text().splitlines()
        (tmp_path / "published" / "audit.jsonl").write_text("\n".join([*audit, audit[1]]) + "\n")
        broken = {**json.loads(pointer), "folder": champion.folder, "digest": champion.digest, "version": "2"}
        (tmp_path / "published" / "champion.json").write_text(json.dumps(broken))
        wait_until(lambda: client.get("/model").json()["problem"])
        assert "missing" in client.get("/model").json()["problem"]
        assert "switchboard_model_swap_failures_total 1.0" in client.get("/metrics").text
        assert classify(client, "thanks").json()["model"]["version"] == "3"
