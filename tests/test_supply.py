"""No version with a known fault can be installed: the floors in `pyproject.toml` leave them out."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
MENDED_IN = {  # the first version without the fault named beside it
    "fastapi": "0.163",  # request body limits; older ones allow Starlette below its floor
    "h11": "0.16",  # CVE-2025-43859
    "markdown-it-py": "2.2.0",  # GHSA-jrwr-5x3p-hvc3, GHSA-vrjv-mxr7-vjf8
    "nh3": "0.3.8",  # ammonia 4.1.4: RUSTSEC-2025-0071, RUSTSEC-2026-0193, RUSTSEC-2026-0213
    "pygments": "2.20",  # CVE-2026-4539
    "pysqlite3": "0.6.1",  # carries an SQLite without the WAL-reset bug
    "python-multipart": "0.0.32",  # CVE-2026-42561, GHSA-v9pg-7xvm-68hf, PYSEC-2026-3038 to 3041
    "PyYAML": "6.0.3",  # libyaml's stack is spared by our own limits; older ones lack wheels for the Pythons here
    "starlette": "1.5.1",  # CVE-2026-48710, CVE-2026-48817, CVE-2026-54282, ranges limited to 100
    "uvicorn": "0.54",  # the one whose protocol ours extends
}


def requirements() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {(found := Requirement(text)).name: found for text in project["dependencies"]}


@pytest.mark.parametrize("name", MENDED_IN)
def test_floor_leaves_faulty_versions_out(name: str) -> None:
    floors = [Version(part.version) for part in requirements()[name].specifier if part.operator == ">="]

    assert floors
    assert max(floors) >= Version(MENDED_IN[name])


def test_every_dependency_has_a_floor_and_no_address() -> None:
    for name, requirement in requirements().items():
        assert requirement.url is None, name
        assert [part.operator for part in requirement.specifier] == [">="], name
