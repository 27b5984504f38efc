"""Prometheus' figures are those of the whole service, whichever of its processes is asked."""

from pathlib import Path

import httpx2
import pytest

from tests.building import AUTH
from tests.journeys.serving import serving

READS = 20


@pytest.mark.slow
def test_figures_of_several_workers_are_summed(tmp_path: Path) -> None:
    with serving(tmp_path, WORKERS="2", METRICS="true") as server:
        for _ in range(READS):  # each on a connection of its own, which either may take
            assert httpx2.get(f"{server.url}/v1/posts").status_code == 200
        texts = {httpx2.get(f"{server.url}/metrics", headers=AUTH).text for _ in range(READS)}

    line = 'honbun_requests_total{method="GET",route="/v1/posts",status="200"} '
    figures = {row.removeprefix(line) for text in texts for row in text.splitlines() if row.startswith(line)}
    assert figures == {f"{READS}.0"}
