"""Fixtures: an empty ledger's address on each database; tests that ask for `ledger` run on both."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from data.ledger import Ledger, open_ledger
from tests.postgres import find_binaries, running_server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    binaries = find_binaries()
    if binaries is None:
        reason = "PostgreSQL is not installed (apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running_server(binaries) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url")
    server, name = request.getfixturevalue("postgres_url"), f"ledger_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server}/{name}"


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with open_ledger(ledger_url) as opened:
        yield opened
