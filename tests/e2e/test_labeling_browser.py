"""A labeler at work in a real browser: logs in, sees the prediction, corrects it with one key, submits with another."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.paths import PROJECT
from tests.labelstudio import PASSWORD, wait_until

playwright_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.xdist_group("labelstudio")

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
def page(label_studio) -> Iterator:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed (apt-get install chromium)")
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 760})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def log_in(page, url: str, email: str) -> None:
    page.goto(f"{url}/user/login/")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda address: "login" not in address)


def start_labeling(page, url: str, project: int) -> None:
    page.goto(f"{url}/projects/{project}/data?labeling=1")
    page.get_by_text("Labeling Instructions").wait_for()  # they come first
    page.keyboard.press("Escape")
    page.get_by_text("Labeling Instructions").wait_for(state="hidden")
    page.get_by_text("Not sure").wait_for()


def shown_message(page, team) -> str:
    """Return which of the team's messages the page shows."""
    shown = page.locator(".sb-text").inner_text()
    return next(name for name, stored in team.ledger.messages.get(team.tasks()).items() if stored.message.text in shown)


def submit(page, team) -> None:
    before = len(annotated(team))
    page.keyboard.press("Enter")
    wait_until(lambda: len(annotated(team)) == before + 1)


def annotated(team) -> list[str]:
    return [name for name, row in team.tasks().items() if row["annotations"]]


def test_a_wrong_prediction_takes_two_keys_and_a_right_one_takes_one(team, label_studio, page, tmp_path: Path):
    project = team.set_up()
    team.push()
    email = team.people["ann"].get("/api/current-user/whoami")["email"]
    log_in(page, label_studio.url, email)
    seen = []
    start_labeling(page, label_studio.url, project.id)
    for keys in (["3"], []):  # the first is called abuse, the second is left as the model said
        name = shown_message(page, team)
        seen.append(name)
        if keys == ["3"]:
            page.screenshot(path=screenshot_path())
        for key in keys:
            page.keyboard.press(key)
        submit(page, team)
        page.wait_for_function("text => !document.querySelector('.sb-text')?.innerText.includes(text)",
                               arg=team.ledger.messages.get([name])[name].message.text)  # fmt: skip
        page.get_by_text("Not sure").wait_for()
    team.pull()
    events = {event.message_id: event for event in team.events()}
    corrected, confirmed = events[seen[0]], events[seen[1]]
    assert corrected.label == "abuse"
    assert confirmed.label == confirmed.model_label
    for event in (corrected, confirmed):
        assert (event.annotator, event.model_version) == (email, "v3")
        task = team.tasks()[event.message_id]
        assert event.seconds == task["annotations"][0]["lead_time"] > 0


def screenshot_path() -> Path:
    """Return where the picture is kept: an artefact of the run, under the run-time folder of the checkout."""
    folder = Path(os.environ.get("SWITCHBOARD_ARTIFACTS") or PROJECT / "var" / "artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "labeling.png"
