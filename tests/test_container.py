"""What the image and the Compose file in the README promise; no container engine is needed to read them."""

import re
from pathlib import Path

import pytest
import yaml

from app.server import GRACE
from app.settings import Settings

ROOT = Path(__file__).parent.parent


def stages() -> list[list[tuple[str, str]]]:
    """The statements of the Dockerfile, by stage."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    statements = [line.split(" ", 1) for line in text.splitlines() if line.strip() and not line.startswith(("#", " "))]
    starts = [number for number, (word, _) in enumerate(statements) if word == "FROM"]
    pairs = [(word, " ".join(rest.split())) for word, rest in statements]
    return [pairs[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


@pytest.fixture
def service() -> dict[str, object]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (compose,) = (found for found in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if "services:" in found)
    found: dict[str, object] = yaml.safe_load(compose)["services"]["honbun"]
    return found


def test_last_stage_runs_as_nobody_in_particular_and_owns_its_data_alone() -> None:
    last = stages()[-1]
    words = [word for word, _ in last]

    assert ("USER", "10001") in last
    assert words.index("USER") < words.index("CMD")
    assert words.count("USER") == 1
    assert [rest for word, rest in last if word == "VOLUME"] == ["/data"]
    assert not [rest for word, rest in last if word in ("COPY", "ADD") and "--chown" in rest]


def test_last_stage_has_no_build_tools() -> None:
    build, last = stages()

    assert any("uv sync --no-dev --extra traces" in rest for word, rest in build if word == "RUN")
    assert not [rest for word, rest in last if word == "RUN" and re.search(r"\b(?:pip|uv|apt-get|curl|wget)\b", rest)]


def test_no_statement_fetches_from_an_address_or_holds_a_secret() -> None:
    statements = [(word, rest) for stage in stages() for word, rest in stage]

    assert not [
        rest
        for word, rest in statements
        if word == "ADD" or (word != "HEALTHCHECK" and "://" in rest and "sqlite:" not in rest)
    ]
    assert not [rest for word, rest in statements if word in ("ENV", "ARG") and re.search("KEY|PASSWORD|TOKEN", rest)]


def test_compose_file_gives_no_more_than_is_needed_and_time_to_end(service: dict[str, object]) -> None:
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert (
        int(str(service["stop_grace_period"]).removesuffix("s"))
        > GRACE + Settings.model_fields["drain_seconds"].default
    )
