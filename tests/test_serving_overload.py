import threading
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.serving import SCORING_THREADS, classify, running, wait_until
from training.predictor import Predictor

LIMITS = {"max_items": 16, "queue_messages": 32}


def hold(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[int]]:
    """Hold the predictor until the event is set; the list fills with the size of what it was given."""
    gate = threading.Event()
    computed: list[int] = []
    real = Predictor.predict_tokens

    def held(self, tokens):
        computed.append(len(tokens))
        gate.wait(30)
        return real(self, tokens)

    monkeypatch.setattr(Predictor, "predict_tokens", held)
    return gate, computed


def start_one_by_one(calls: Sequence[threading.Thread], computed: Sequence[int]) -> None:
    """Give each scoring thread one call to be held with."""
    for number, call in enumerate(calls, 1):
        call.start()
        wait_until(lambda number=number: len(computed) == number)


def test_beyond_capacity_calls_are_answered_or_refused_with_a_time_and_it_recovers(tiny_bundle, tmp_path, monkeypatch):
    real = Predictor.predict_tokens

    def slow(self, tokens):
        time.sleep(0.002 * len(tokens))
        return real(self, tokens)

    with running(tiny_bundle, monkeypatch, tmp_path, limits=LIMITS, cache_entries=0) as client:
        monkeypatch.setattr(Predictor, "predict_tokens", slow)
        statuses: Counter[int] = Counter()
        hints: list[int] = []

        def call(caller: int) -> None:
            for n in range(10):
                response = classify(client, *[f"broken {caller} {n} {k}" for k in range(8)])
                statuses[response.status_code] += 1
                if response.status_code == 429:
                    hints.append(int(response.headers["retry-after"]))

        threads = [threading.Thread(target=call, args=(caller,)) for caller in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(statuses) == {200, 429}
        assert len(hints) == statuses[429] and min(hints) >= 1
        assert classify(client, "thanks").status_code == 200
        assert "switchboard_queue_messages 0.0" in client.get("/metrics").text


def test_a_call_that_cannot_be_begun_in_time_is_refused_before_it_costs_anything(tiny_bundle, tmp_path, monkeypatch):
    limits = {**LIMITS, "deadline_s": 1.0}
    with running(tiny_bundle, monkeypatch, tmp_path, limits=limits, cache_entries=0) as client:
        gate, computed = hold(monkeypatch)
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda n=n: answers.append(classify(client, f"broken {n}").status_code))
            for n in range(SCORING_THREADS + 4)
        ]
        start_one_by_one(threads[:SCORING_THREADS], computed)
        for thread in threads[SCORING_THREADS:]:
            thread.start()
        wait_until(lambda: "switchboard_queue_messages 4.0" in client.get("/metrics").text)
        time.sleep(1.1)
        gate.set()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200] * SCORING_THREADS + [429] * 4
        assert computed == [1] * SCORING_THREADS


def test_a_full_queue_refuses_without_reading_the_body(tiny_bundle, tmp_path, monkeypatch):
    with running(
        tiny_bundle, monkeypatch, tmp_path, limits={"max_items": 2, "queue_messages": 2}, cache_entries=0
    ) as client:
        gate, computed = hold(monkeypatch)
        calls = [threading.Thread(target=classify, args=(client, f"call {n}")) for n in range(SCORING_THREADS)]
        start_one_by_one(calls, computed)
        waiting = threading.Thread(target=classify, args=(client, "broken", "late"))
        waiting.start()
        wait_until(lambda: "switchboard_queue_messages 2.0" in client.get("/metrics").text)
        statuses: list[int] = []

        async def knock() -> None:
            async def receive():
                raise AssertionError("the body was asked for")

            async def send(event):
                statuses.extend([event["status"]] if "status" in event else [])

            scope = {"type": "http", "method": "POST", "path": "/classify", "client": ("127.0.0.1", 1),
                     "headers": [(b"content-type", b"application/json")], "query_string": b""}  # fmt: skip
            await client.app(scope, receive, send)

        assert client.portal is not None
        client.portal.call(knock)
        gate.set()
        for call in (*calls, waiting):
            call.join()
        assert statuses == [429]


def test_who_leaves_the_queue_is_not_computed(tiny_bundle, tmp_path, monkeypatch):
    with running(tiny_bundle, monkeypatch, tmp_path, limits=LIMITS, cache_entries=0) as client:
        gate, computed = hold(monkeypatch)
        texts = [f"call {n}" for n in range(SCORING_THREADS + 1)]
        calls = [threading.Thread(target=classify, args=(client, text)) for text in texts]
        start_one_by_one(calls[:-1], computed)
        calls[-1].start()
        wait_until(lambda: "switchboard_queue_messages 1.0" in client.get("/metrics").text)

        async def leave() -> None:
            events = iter(
                [{"type": "http.request", "body": b'{"messages": [{"text": "gone"}]}'}, {"type": "http.disconnect"}]
            )

            async def receive():
                return next(events)

            async def send(event):
                raise AssertionError("nobody is there")

            scope = {"type": "http", "method": "POST", "path": "/classify", "client": ("127.0.0.1", 1),
                     "headers": [(b"content-type", b"application/json")], "query_string": b""}  # fmt: skip
            await client.app(scope, receive, send)

        assert client.portal is not None
        client.portal.call(leave)
        gate.set()
        for call in calls:
            call.join()
        assert classify(client, "thanks").status_code == 200
        assert computed == [1] * (len(calls) + 1)
