"""`switchboard label watch` and `listen` as processes of their own: nudged, stopped, and with a training that fails."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import yaml

from tests.labelstudio import free_port, wait_until
from tests.processes import command
from tests.tiny_base import tiny_recipe
from training.publish import publish, read_champion

pytestmark = pytest.mark.xdist_group("labelstudio")

PATIENCE = 300.0  # the machine may be busy; nothing here takes more than seconds of its own


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
        wait_until(lambda: words in self.said or self.process.poll() is not None, PATIENCE)
        assert words in self.said, self.said

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


def test_a_label_is_pulled_when_label_studio_calls_and_sigterm_ends_listening(team, start):
    it = start("listen", "--port", str(free_port()))
    it.wait_for("listening at")
    team.annotate("ann", "m-1", "request")
    wait_until(lambda: len(team.events()) == 1, PATIENCE)  # the schedule's next round is ten hours away
    assert it.end(signal.SIGTERM) == 0
    assert "Traceback" not in it.said


def test_labels_are_waited_for_until_they_stop_coming_and_a_training_that_fails_leaves_the_champion(
    team, start, registry, var_dir, tiny_bundle, tmp_path
):
    published = var_dir / "published"
    publish(tiny_bundle, "0", published)
    champion = read_champion(published)
    words = ("watch.min_new=3", "watch.quiet_s=15", "--recipe", write_recipe(tmp_path, tmp_path / "no-such-base"))
    it = start("watch", "--port", str(free_port()), *words)
    it.wait_for("listening at")
    for name in ("m-1", "m-2", "m-3", "m-4"):
        team.annotate("ann", name, "request")
    it.wait_for("training failed, the champion goes on serving")
    assert it.end(signal.SIGTERM) == 0
    assert it.said.count("retraining: ") == 1
    assert "retraining: 4 new labels, 3 are enough" in it.said  # three were, but they still came
    assert read_champion(published) == champion
    assert registry.versions() == []
    assert list((var_dir / "bundles").glob("*")) == []
