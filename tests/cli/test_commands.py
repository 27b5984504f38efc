import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer.main
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.cli import cli
from tests.building import markdown, slugs

BAD = "---\ntitle: 題\ndate: いつか\n---\n"
COMMANDS = (
    "serve",
    "ingest",
    "check",
    "export",
    "rerender",
    "migrate",
    "openapi",
    "backup",
    "doctor",
    "keys",
    "keys create",
    "keys list",
    "keys revoke",
)
Run = Callable[..., Any]


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    folder = tmp_path / "posts"
    write(folder, **{"a": markdown(title="一", date="2025-12-01"), "blog/b": markdown(title="二", date="2025-12-02")})
    return folder


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_ingest_takes_a_folder(run: Run, posts: Path, client: TestClient) -> None:
    status, out, err = run("ingest", posts)

    assert (status, err) == (0, "")
    assert out.splitlines() == ["created  a.md -> a", "created  blog/b.md -> b", "2 created"]
    assert slugs(client) == ["b", "a"]
    assert run("ingest", posts)[1] == "2 unchanged\n"


def test_dry_run_keeps_nothing(run: Run, posts: Path, client: TestClient) -> None:
    status, out, _ = run("ingest", posts, "--dry-run")

    assert status == 0
    assert out.splitlines()[-1] == "would be: 2 created"
    assert slugs(client) == []


def test_bad_file_is_told_with_its_place_and_the_rest_taken(run: Run, posts: Path, client: TestClient) -> None:
    write(posts, bad=BAD)
    status, out, err = run("ingest", posts)

    assert status == 1
    assert out.splitlines()[-1] == "2 created, 1 failed"
    assert re.match(rf"{re.escape(str(posts))}/bad\.md:3:7: invalid_date: ", err)
    assert len(err.splitlines()) == 1
    assert slugs(client) == ["b", "a"]


def test_report_as_json(run: Run, posts: Path) -> None:
    write(posts, bad=BAD)
    status, out, _ = run("ingest", posts, "--format", "json")
    report = orjson.loads(out)

    assert status == 1
    assert (report["created"], report["failed"]) == (2, 1)
    assert {result["name"] for result in report["results"]} == {"a.md", "blog/b.md", "bad.md"}


def test_warnings_can_fail(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "posts", untitled="本文だけ\n")
    folder = tmp_path / "posts"

    assert run("ingest", folder, "--dry-run")[0] == 0
    assert run("ingest", folder, "--dry-run", "--fail-on", "warning")[0] == 1
    assert run("check", folder)[0] == 0
    status, out, _ = run("check", folder, "--fail-on", "warning")
    assert status == 1
    assert out.startswith(f"{folder}/untitled.md:1:1: title_derived: ")


def test_prune_removes_what_is_gone(run: Run, posts: Path, client: TestClient) -> None:
    run("ingest", posts)
    (posts / "a.md").unlink()
    status, out, _ = run("ingest", posts, "--prune")

    assert status == 0
    assert "deleted  a.md -> a" in out
    assert slugs(client) == ["b"]


def test_prune_below_a_base_leaves_other_folders_alone(run: Run, posts: Path, client: TestClient) -> None:
    run("ingest", posts)
    write(posts, **{"blog/c": markdown(title="三", date="2025-12-03")})
    (posts / "blog" / "b.md").unlink()
    status, _, _ = run("ingest", posts / "blog", "--base", posts, "--prune")

    assert status == 0
    assert slugs(client) == ["c", "a"]


def test_prune_of_a_single_file_is_wrong_usage(run: Run, posts: Path, client: TestClient) -> None:
    run("ingest", posts)

    assert run("ingest", posts / "a.md", "--prune")[0] == 2
    assert slugs(client) == ["b", "a"]


def test_prune_of_many_posts_is_refused_until_allowed(run: Run, tmp_path: Path, client: TestClient) -> None:
    folder = tmp_path / "many"
    write(folder, **{f"p{number}": markdown(title=str(number), date="2025-12-01") for number in range(12)})
    run("ingest", folder)
    for number in range(6):
        (folder / f"p{number}.md").unlink()
    status, out, err = run("ingest", folder, "--prune")

    assert (status, out) == (3, "")
    assert err == "honbun: this would delete 6 of 12 posts; if that is meant, allow it with --prune-max 6\n"
    assert run("ingest", folder, "--prune", "--prune-max", "6")[0] == 0
    assert len(slugs(client)) == 6


def test_names_are_relative_to_the_base(run: Run, posts: Path) -> None:
    assert "blog/b.md" in run("ingest", posts / "blog", "--base", posts)[1]
    assert "created  b.md" in run("ingest", posts / "blog" / "b.md", "--dry-run")[1]
    status, _, err = run("ingest", posts, "--base", posts / "blog")
    assert status == 2
    assert "is not below" in err


def test_check_stores_nothing_and_needs_no_database(run: Run, posts: Path) -> None:
    write(posts, bad=BAD)
    status, out, err = run("check", posts, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")

    assert status == 1
    assert out.startswith(f"{posts}/bad.md:3:7: invalid_date: ")
    assert err == "3 posts: 1 errors, 0 warnings\n"


def test_check_as_json(run: Run, posts: Path) -> None:
    write(posts, bad=BAD)
    found = orjson.loads(run("check", posts, "--format", "json")[1])

    assert [(item["name"], item["severity"], item["remark"]["line"]) for item in found] == [("bad.md", "error", 3)]


def test_key_is_made_listed_and_revoked(run: Run, client: TestClient) -> None:
    status, out, _ = run("keys", "create", "編集部", "--scope", "read", "--days", "3")
    headers = {"Authorization": f"Bearer {out.strip()}"}

    assert status == 0
    identifier = out.split("_")[1]
    listed = run("keys", "list")[1]
    assert re.fullmatch(rf"{identifier}  read   expires \d{{4}}-\d\d-\d\d  never used  編集部\n", listed)
    assert out.strip() not in listed

    assert run("keys", "revoke", identifier)[0] == 0
    assert "revoked" in run("keys", "list")[1]
    assert client.get("/v1", headers=headers).status_code == 401


def test_unknown_key_cannot_be_revoked(run: Run) -> None:
    status, _, err = run("keys", "revoke", "nothing")

    assert status == 3
    assert err == "honbun: there is no key 'nothing'; `honbun keys list` shows them\n"


def test_migrate_goes_up_and_down(run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    try:
        assert run("migrate", "--down")[1] == "the database is empty\n"
    finally:
        up = run("migrate")

    assert up == (0, "the database is up to date\n", "")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM post").scalar_one() == 0


def test_openapi_is_the_committed_document(run: Run) -> None:
    status, out, _ = run("openapi")

    assert status == 0
    assert out == (Path(__file__).parents[1] / "api" / "openapi.json").read_text(encoding="utf-8")


def test_unreachable_database_is_3_in_one_line(run: Run, posts: Path) -> None:
    for arguments in (("ingest", posts), ("keys", "list"), ("migrate",), ("serve",)):
        status, out, err = run(*arguments, DATABASE_URL="postgresql://me:geheim@127.0.0.1:1/nothing")

        assert (status, out) == (3, "")
        assert err == "honbun: the database cannot be reached\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIMEZONE", "Mars/Base"),
        ("DATABASE_URL", "mysql://me:geheim@host/x"),
        ("PORT", "99999"),
        ("POST_URL_TEMPLATE", "https://x/{nothing}"),
        ("API_KEY_FILE", "/nowhere/key"),
    ],
)
def test_wrong_setting_is_2_and_named_in_one_line(run: Run, posts: Path, name: str, value: str) -> None:
    status, out, err = run("ingest", posts, **{name: value})

    assert (status, out) == (2, "")
    assert err.startswith("honbun: ")
    assert f"HONBUN_{name}" in err
    assert len(err.splitlines()) == 1
    assert "geheim" not in err


def test_wrong_usage_is_2(run: Run, tmp_path: Path) -> None:
    for arguments in (
        ("ingest", tmp_path / "nothing"),
        ("ingest",),
        ("nonsense",),
        ("check", tmp_path, "--format", "xml"),
    ):
        assert run(*arguments)[0] == 2


def test_every_command_explains_itself(run: Run) -> None:
    for command in COMMANDS:
        status, out, _ = run(*command.split(), "--help")

        assert status == 0
        assert "Usage: honbun" in out


def test_every_command_is_known_here() -> None:
    group: Any = typer.main.get_command(cli)
    names = [
        name if not hasattr(command, "commands") else f"{name} {sub}"
        for name, command in group.commands.items()
        for sub in getattr(command, "commands", [""])
    ]

    assert {name.strip() for name in names} <= set(COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    program = "import sys, app.cli; print(sorted({'fastapi', 'sqlmodel', 'sqlalchemy', 'pydantic', 'rich'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60)

    assert json.loads(out.stdout.replace("'", '"')) == []


def test_export_after_ingest_equals_the_folder(run: Run, posts: Path, tmp_path: Path) -> None:
    run("ingest", posts)
    status, out, _ = run("export", tmp_path / "out")

    assert (status, out) == (0, f"2 posts are in {tmp_path / 'out'}\n")
    assert tree(tmp_path / "out") == tree(posts)


def test_configuration_of_a_folder_counts_in_every_command(run: Run, tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site / "_posts", **{"2025-12-24-kiji": markdown(title="記事", date="9時頃")})
    config = site / "_config.yml"
    config.write_text("timezone: Tokyo\n")

    status, out, _ = run("check", site)
    assert (status, [line.split(": ")[1] for line in out.splitlines()]) == (1, ["invalid_timezone", "invalid_date"])

    write(site / "_posts", **{"2025-12-24-kiji": markdown(title="記事")})
    config.write_text("timezone: Asia/Tokyo\n")
    assert run("check", site) == (0, "", "1 posts: 0 errors, 0 warnings\n")
    assert run("ingest", site)[1].splitlines() == [
        "config   _config.yml (timezone)",
        "created  _posts/2025-12-24-kiji.md -> kiji",
        "1 created, 1 skipped",
    ]
    assert run("rerender")[1] == "0 posts rendered, 0 failed\n"

    run("export", tmp_path / "out", "--with-state")
    assert tree(tmp_path / "out").keys() - {".honbun-state.json"} == tree(site).keys()

    config.write_text("timezone: Asia/Seoul\nlang: ko\n")
    assert run("ingest", site, "--dry-run")[1].splitlines() == [
        "config   _config.yml (timezone, lang)",
        "updated  _posts/2025-12-24-kiji.md -> kiji (lang)",
        "would be: 1 updated, 1 skipped",
    ]


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_export_with_state_gives_ids_and_former_slugs_back(run: Run, posts: Path, tmp_path: Path) -> None:
    run("ingest", posts)
    write(posts, a=markdown(title="一", date="2025-12-01", slug="ichi"))
    run("ingest", posts)
    run("export", tmp_path / "one", "--with-state")
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    run("ingest", tmp_path / "one", DATABASE_URL=fresh)
    run("export", tmp_path / "two", "--with-state", DATABASE_URL=fresh)

    assert tree(tmp_path / "two") == tree(tmp_path / "one")
    assert b'"former_slugs": [\n        "a"\n      ]' in tree(tmp_path / "two")[".honbun-state.json"]


def test_export_goes_into_an_archive_and_overwrites_nothing(run: Run, posts: Path, tmp_path: Path) -> None:
    run("ingest", posts)

    assert run("export", tmp_path / "out.zip")[0] == 0
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == tree(posts)
    assert run("export", tmp_path / "out.zip")[0] == 2
    assert run("export", posts)[0] == 2


def test_rerender_renders_what_other_settings_rendered(run: Run, posts: Path) -> None:
    run("ingest", posts)

    assert run("rerender")[:2] == (0, "0 posts rendered, 0 failed\n")
    assert run("rerender", TIMEZONE="Asia/Tokyo")[:2] == (0, "2 posts rendered, 0 failed\n")


def test_dry_run_names_the_fields_that_would_change(run: Run, posts: Path) -> None:
    run("ingest", posts)
    write(posts, a=markdown(title="壱", date="2025-12-01"))
    status, out, _ = run("ingest", posts, "--dry-run")

    assert status == 0
    assert out.splitlines() == ["updated  a.md -> a (title, front_matter)", "would be: 1 updated, 1 unchanged"]


def test_check_names_links_to_files_that_are_not_there(run: Run, posts: Path) -> None:
    write(posts, c=markdown("[ある](a.md)\n\n[ない](nai.md)\n", title="三"))
    status, out, _ = run("check", posts)

    assert status == 0
    assert out.splitlines() == [f"{posts}/c.md:6:1: link_missing: nai.md is linked to, but there is no such file"]


def test_check_names_images_that_are_not_there_and_looks_beside_a_single_file(run: Run, posts: Path) -> None:
    write(posts, c=markdown("![図](zu.png) ![図](nai.png) [二](blog/b.md)\n", title="三"))
    (posts / "zu.png").write_bytes(b"")
    missing = f"{posts}/c.md:4:1: link_missing: nai.png is linked to, but there is no such file\n"

    assert run("check", posts)[1] == missing
    assert run("check", posts / "c.md")[1] == missing


def test_code_is_explained_with_an_example(run: Run) -> None:
    status, out, _ = run("check", "--explain", "invalid_date")

    assert status == 0
    assert out.startswith("invalid_date (error)")
    assert "For example" in out
    assert run("check", "--explain", "link_missing")[0] == 0
    assert run("check", "--explain", "nonsense")[0] == 2
    assert run("check")[0] == 2


def test_service_that_is_not_reached_ends_in_3(run: Run, posts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.remote.PATIENCE", ())
    status, _, err = run("ingest", posts, "--to", "http://127.0.0.1:9")

    assert status == 3
    assert err.startswith("honbun: the service at http://127.0.0.1:9 was not reached")
    assert run("ingest", posts, "--to", "nowhere")[0] == 2
