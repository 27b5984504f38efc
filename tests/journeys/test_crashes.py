"""`kill -9` of the server, or of Postgres, among many writes: what was acknowledged is there, nothing is there by half."""

from pathlib import Path

import pytest

from tests.journeys.serving import check_crash_image, serving
from tests.journeys.writing import Writers, faults
from tests.postgres import own_postgres

ROUNDS = 25


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", [1, pytest.param(ROUNDS, marks=pytest.mark.slow)])
def test_killed_server_keeps_what_it_acknowledged(database_url: str, tmp_path: Path, rounds: int) -> None:
    writers = Writers()
    for number in range(rounds):
        with serving(tmp_path, DATABASE_URL=database_url) as server:
            writers.check(server)
            assert faults(database_url) == []
            with writers.writing(server):
                writers.await_acknowledged(5 + number)
                server.kill()
        check_crash_image(database_url, tmp_path / f"copy-{number}")
    with serving(tmp_path, DATABASE_URL=database_url) as server:
        writers.check(server)

        assert faults(database_url) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_postgres_keeps_what_was_acknowledged_and_the_service_finds_it_again(tmp_path: Path) -> None:
    writers = Writers()
    with own_postgres(durable=True) as postgres, serving(tmp_path, DATABASE_URL=postgres.url) as server:
        for number in range(ROUNDS):
            with writers.writing(server):
                writers.await_acknowledged(5 + number)
                postgres.kill()
                postgres.start()
                writers.await_acknowledged(4)
            writers.check(server, is_exact=True)

            assert faults(postgres.url) == []
        assert set(writers.refusals) == {"database_unavailable"}
        assert server.process.poll() is None
