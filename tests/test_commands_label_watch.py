"""`switchboard label watch` and `listen` as processes of their own: nudged, stopped, killed, and with trainings that fail."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import yaml

from configs.labeling import load_labeling
from data.ledger import LabelEvent
from flows.watch import State, is_due
from tests.labelstudio import free_port, wait_until
from tests.processes import command
from tests.tiny_base import tiny_recipe, tiny_rows
from training.publish import publish, read_champion

pytestmark = pytest.mark.xdist_group("labelstudio")

PATIENCE = 1200.0  # the machine may be starved; nothing here takes more than a minute of its own


class Watching:
    """A running `label watch` or `label listen`, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said = ""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.said += line

    def wait_for(self, words: str) -> None:
        self.wait_until(lambda: words in self.said)

    def wait_until(self, happened: Callable[[], bool]) -> None:
        wait_until(lambda: happened() or self.process.poll() is not None, PATIENCE)
        assert happened(), self.said

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(timeout=PATIENCE)
        self._reader.join()
        return status


@pytest.fixture
def start(team, label_studio, registry, var_dir, monkeypatch) -> Iterator[Callable[..., Watching]]:
    """Return what starts a command on the team's project and ledger; all are ended with the test."""
    monkeypatch.setenv("SWITCHBOARD_DATABASE_URL", str(team.ledger.database.url))
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.account.token)
    team.set_up()
    team.push()
    started: list[Watching] = []

    def run(what: str, *words: str) -> Watching:
        common = (f"project={team.labeling.project}", "page_size=2", "watch.every_s=36000")
        started.append(Watching(command("label", what, *common, *words, var=var_dir)))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def write_recipe(folder: Path, base: Path, **changes: object) -> str:
    values = tiny_recipe(base, max_rows=300, **{"epochs": 1, **changes}).model_dump(mode="json", exclude_defaults=True)
    path = folder / f"recipe-{len(list(folder.glob('recipe-*')))}.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return str(path)


def is_in_mid_training(var: Path) -> bool:
    """Return whether a training has come so far that it would go on from a checkpoint."""
    return any((var / "training").rglob("checkpoint-*/complete"))


def endless_recipe(folder: Path, base: Path) -> str:
    return write_recipe(folder, base, epochs=100_000, patience=100_000)


@pytest.fixture
def labelled(team) -> None:
    """Put labels into the ledger that are enough to train on."""
    rows = tiny_rows(12, seed=3, prefix="customer")
    team.ledger.messages.add([row.message for row in rows])
    say(team, *((row.message.id, row.label) for row in rows))


def say(team, *labels: tuple[str, str]) -> None:
    team.ledger.events.append(
        LabelEvent(key=f"t:{name}", message_id=name, label=label, annotator="ann", origin="labeler")
        for name, label in labels
    )


@pytest.fixture
def champion(var_dir, tiny_bundle) -> Callable[[], bool]:
    """Publish a champion and return what tells whether it still serves, whole, and nothing was published beside it."""
    published = var_dir / "published"
    before = publish(tiny_bundle, "0", published)
    files = sorted(published.rglob("*"))
    return lambda: read_champion(published) == before and sorted(published.rglob("*")) == files


def test_a_label_is_pulled_when_label_studio_calls_and_sigterm_ends_listening(team, start):
    it = start("listen", "--port", str(free_port()))
    it.wait_for("listening at")
    team.annotate("ann", "m-1", "request")
    wait_until(lambda: len(team.events()) == 1, PATIENCE)  # the schedule's next round is ten hours away
    assert it.end(signal.SIGTERM) == 0
    assert "Traceback" not in it.said


def test_labels_are_waited_for_until_they_stop_coming_and_a_training_that_fails_leaves_the_champion(
    team, start, registry, var_dir, champion, tmp_path
):
    words = ("watch.min_new=3", "watch.quiet_s=15", "--recipe", write_recipe(tmp_path, tmp_path / "no-such-base"))
    it = start("watch", "--port", str(free_port()), *words)
    it.wait_for("listening at")
    for name in ("m-1", "m-2", "m-3", "m-4"):
        team.annotate("ann", name, "request")
    it.wait_for("training failed, the champion goes on serving")
    assert it.end(signal.SIGTERM) == 0
    assert it.said.count("retraining: ") == 1
    assert "retraining: 4 new labels, 3 are enough" in it.said  # three were, but they still came
    assert champion()
    assert registry.versions() == []
    assert list((var_dir / "bundles").glob("*")) == []


def test_one_trains_at_a_time_and_a_killed_one_leaves_no_lock_and_no_half_model(
    team, start, labelled, registry, var_dir, champion, tiny_base, tmp_path
):
    enough = ("watch.min_new=5", "watch.quiet_s=0")
    short = write_recipe(tmp_path, tiny_base)
    killed = start("watch", *enough, "--recipe", endless_recipe(tmp_path, tiny_base))
    killed.wait_until(lambda: is_in_mid_training(var_dir))
    killed.process.send_signal(signal.SIGSTOP)  # it holds its lock, but not the machine
    other = start("watch", *enough, "--recipe", short, "--once")
    assert other.wait() == 0
    assert "another training is under way" in other.said

    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    after = start("watch", *enough, "--recipe", short, "--once")
    assert after.wait() == 0
    assert "the last training was killed" in after.said
    assert "retraining" not in after.said  # what took the machine down is not begun again by itself
    assert registry.versions() == []
    assert list((var_dir / "bundles").glob("*")) == []
    say(team, ("m-2", "question"))
    again = start("watch", *enough, "--recipe", short, "--once")
    assert again.wait() == 0
    assert "challenger 1" in again.said
    assert [one.version for one in registry.versions()] == ["1"]
    assert champion()


def test_sigterm_in_mid_training_ends_at_once_and_leaves_the_training_due(
    team, start, labelled, registry, var_dir, champion, tiny_base, tmp_path
):
    enough = ("watch.min_new=5", "watch.quiet_s=0")
    stopped = start("watch", *enough, "--recipe", endless_recipe(tmp_path, tiny_base))
    stopped.wait_until(lambda: is_in_mid_training(var_dir))
    assert stopped.end(signal.SIGTERM) == 0  # nothing else could end it
    assert "Traceback" not in stopped.said
    assert registry.versions() == []
    assert champion()
    state = State(**json.loads((var_dir / "labeling" / "watch.json").read_text()))
    assert is_due(team.ledger, state, load_labeling(enough).watch).now
