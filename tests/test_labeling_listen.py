"""The webhook: known callers nudge, others do not; a real Label Studio calls it when a label is given."""

import threading

import httpx
import pytest

from configs.errors import SwitchboardError
from labeling.listen import SECRET_HEADER, listening, register_webhook, webhook_secret


@pytest.fixture
def nudged():
    return threading.Event()


def test_only_a_caller_with_the_secret_nudges(nudged):
    with listening("127.0.0.1", 0, "secret", nudged.set) as url:
        assert httpx.post(url, json={}).status_code == 403
        assert httpx.post(url, json={}, headers={SECRET_HEADER: "wrong"}).status_code == 403
        assert not nudged.is_set()
        assert httpx.post(url, json={}, headers={SECRET_HEADER: "secret"}).status_code == 204
        assert nudged.wait(30)


def test_the_secret_is_made_once_and_kept_private(var_dir, monkeypatch):
    monkeypatch.delenv("SWITCHBOARD_WEBHOOK_SECRET", raising=False)
    assert webhook_secret() == webhook_secret()
    assert (var_dir / "label-studio" / "webhook-secret").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("SWITCHBOARD_WEBHOOK_SECRET", "given")
    assert webhook_secret() == "given"


def test_an_empty_secret_lets_nobody_in(var_dir, monkeypatch):
    monkeypatch.delenv("SWITCHBOARD_WEBHOOK_SECRET", raising=False)
    webhook_secret()
    path = var_dir / "label-studio" / "webhook-secret"
    path.write_text("\n")
    with pytest.raises(SwitchboardError, match=r"webhook-secret: holds no secret.*delete it"):
        webhook_secret()


@pytest.mark.xdist_group("labelstudio")
def test_label_studio_calls_when_a_label_is_given_and_losing_the_call_loses_nothing(team, nudged):
    project = team.set_up()
    team.push()
    with listening("127.0.0.1", 0, "secret", nudged.set) as url:
        register_webhook(team.admin, project, url, "secret")
        register_webhook(team.admin, project, url, "secret")
        assert len(team.admin.get("/api/webhooks/", project=project.id)) == 1
        team.annotate("ann", "m-1", "request")
        assert nudged.wait(30)
    team.annotate("ann", "m-2", "question")  # nobody listens any more
    assert team.pull().labels == 2
