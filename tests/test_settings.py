"""Every setting: its default, what it takes, and one line that names it when it is wrong."""

from os import environ
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.documents.document import Context
from app.settings import InvalidSettings, Settings

SECRET = "hunter2-correct-horse"
# The table in the contract; what is not built yet is left out.
DEFAULTS: dict[str, Any] = {
    "DATABASE_URL": "sqlite:///honbun.db",
    "DATABASE_REPLICA_URL": None,
    "CONTENT_DIR": "content",
    "API_KEY": None,
    "SITE_TITLE": "Honbun",
    "SITE_DESCRIPTION": "",
    "SITE_URL": None,
    "POST_URL_TEMPLATE": None,
    "ASSET_URL": None,
    "EMBED_HOSTS": [],
    "ROOT_PATH": "",
    "TIMEZONE": "UTC",
    "LANG": None,
    "HOST": "127.0.0.1",
    "PORT": 8000,
    "WORKERS": 1,
    "FORWARDED_ALLOW_IPS": None,
    "CORS_ORIGINS": ["*"],
    "S_MAXAGE": 60,
    "PUBLIC_SOURCE": False,
    "PRIVATE_FRONT_MATTER": ["_*"],
    "MAX_FILE_BYTES": 2 * 1024**2,
    "MAX_UPLOAD_BYTES": 64 * 1024**2,
    "MAX_FILES": 10_000,
    "READ_SECONDS": 30,
    "RENDER_SECONDS": 3.5,
    "MIGRATE": True,
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of this machine, and a folder with no `.env`."""
    for name in [name for name in environ if name.upper().startswith("HONBUN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def value(name: str) -> Any:
    loaded = getattr(Settings.load(), name.lower())
    return loaded.get_secret_value() if isinstance(loaded, SecretStr) else loaded


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_is_the_contracts(name: str) -> None:
    assert value(name) == DEFAULTS[name]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("DATABASE_URL", "postgres://u:p@a:1,b:2/x", "postgres://u:p@a:1,b:2/x"),
        ("DATABASE_URL", "postgresql:///x?host=/run/pg", "postgresql:///x?host=/run/pg"),
        ("DATABASE_URL", "sqlite:////srv/honbun.db", "sqlite:////srv/honbun.db"),
        ("CONTENT_DIR", "", ""),
        ("CONTENT_DIR", "posts", "posts"),
        ("DATABASE_REPLICA_URL", "", None),
        ("API_KEY", SECRET, SECRET),
        ("API_KEY", "", None),
        ("SITE_TITLE", "本文", "本文"),
        ("SITE_DESCRIPTION", "説明", "説明"),
        ("SITE_URL", "https://blog.jp/", "https://blog.jp"),
        ("SITE_URL", "", None),
        ("POST_URL_TEMPLATE", "/{year}/{slug}/", "/{year}/{slug}/"),
        ("POST_URL_TEMPLATE", "", None),
        ("ASSET_URL", "http://cdn.jp/a//", "http://cdn.jp/a"),
        ("ASSET_URL", "", None),
        ("EMBED_HOSTS", "", []),
        (
            "EMBED_HOSTS",
            '["www.youtube-nocookie.com", "Player.Vimeo.com"]',
            ["player.vimeo.com", "www.youtube-nocookie.com"],
        ),
        ("EMBED_HOSTS", "a.jp, a.jp, localhost", ["a.jp", "localhost"]),
        ("ROOT_PATH", "/blog/", "/blog"),
        ("ROOT_PATH", "/", ""),
        ("ROOT_PATH", "", ""),
        ("TIMEZONE", "Asia/Tokyo", "Asia/Tokyo"),
        ("LANG", "ja", "ja"),
        ("LANG", "", None),
        ("HOST", "0.0.0.0", "0.0.0.0"),
        ("PORT", "0", 0),
        ("WORKERS", "4", 4),
        ("FORWARDED_ALLOW_IPS", "10.0.0.1", "10.0.0.1"),
        ("FORWARDED_ALLOW_IPS", "", None),
        ("CORS_ORIGINS", '["https://a.jp"]', ["https://a.jp"]),
        ("CORS_ORIGINS", "https://a.jp, https://b.jp", ["https://a.jp", "https://b.jp"]),
        ("CORS_ORIGINS", "", []),
        ("S_MAXAGE", "0", 0),
        ("PUBLIC_SOURCE", "true", True),
        ("PRIVATE_FRONT_MATTER", "[]", []),
        ("PRIVATE_FRONT_MATTER", "_*,internal", ["_*", "internal"]),
        ("MAX_FILE_BYTES", "1", 1),
        ("MAX_UPLOAD_BYTES", "1", 1),
        ("MAX_FILES", "1", 1),
        ("MIGRATE", "false", False),
        ("CHARACTERS_PER_MINUTE", "400", 400),
    ],
)
def test_setting_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: Any
) -> None:
    monkeypatch.setenv(f"HONBUN_{name}", text)

    assert value(name) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", f"mysql://u:{SECRET}@host/x"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@host:not-a-port/x?nonsense={SECRET}"),
        ("DATABASE_URL", f"postgresql://[{SECRET}"),
        ("DATABASE_REPLICA_URL", "sqlite:///x.db"),
        ("DATABASE_REPLICA_URL", f"postgresql://u:{SECRET}@host:not-a-port/x?nonsense={SECRET}"),
        ("SITE_URL", "blog.jp"),
        ("SITE_URL", "ftp://blog.jp"),
        ("SITE_URL", "https://["),
        ("POST_URL_TEMPLATE", "/{title}/"),
        ("POST_URL_TEMPLATE", "/{}/"),
        ("POST_URL_TEMPLATE", "/{slug"),
        ("POST_URL_TEMPLATE", "/{slug.__class__}/"),
        ("POST_URL_TEMPLATE", "/{slug!r}/"),
        ("POST_URL_TEMPLATE", "/{year:>9}/"),
        ("ASSET_URL", "/assets"),
        ("EMBED_HOSTS", "https://a.jp"),
        ("EMBED_HOSTS", "a.jp/embed"),
        ("EMBED_HOSTS", "*.a.jp"),
        ("EMBED_HOSTS", "a.jp:8443"),
        ("EMBED_HOSTS", "日本.jp"),
        ("EMBED_HOSTS", '["a.jp", ""]'),
        ("ROOT_PATH", "blog"),
        ("TIMEZONE", ""),
        ("TIMEZONE", "JST-9"),
        ("TIMEZONE", "Asia"),
        ("TIMEZONE", "../../etc/passwd"),
        ("LANG", "japanese language"),
        ("PORT", ""),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("WORKERS", "0"),
        ("CORS_ORIGINS", '["https://a.jp"'),
        ("CORS_ORIGINS", "[1]"),
        ("PRIVATE_FRONT_MATTER", '[{"a": 1}]'),
        ("S_MAXAGE", "-1"),
        ("PUBLIC_SOURCE", "perhaps"),
        ("MAX_FILE_BYTES", "0"),
        ("MAX_UPLOAD_BYTES", "2MiB"),
        ("MAX_FILES", "0"),
        ("MIGRATE", ""),
        ("CHARACTERS_PER_MINUTE", "0"),
    ],
)
def test_wrong_setting_is_one_line_that_names_it_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"HONBUN_{name}", text)

    with pytest.raises(InvalidSettings) as caught:
        Settings.load()

    assert caught.value.detail.startswith(f"HONBUN_{name}: ")
    assert "\n" not in caught.value.detail
    assert SECRET not in caught.value.detail
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("own", ["SITE_URL", "ASSET_URL"])
def test_frames_of_the_own_host_are_refused(monkeypatch: pytest.MonkeyPatch, own: str) -> None:
    monkeypatch.setenv(f"HONBUN_{own}", "https://Blog.example.jp:8443/a")
    monkeypatch.setenv("HONBUN_EMBED_HOSTS", "player.vimeo.com,blog.example.JP")

    with pytest.raises(InvalidSettings) as caught:
        Settings.load()
    monkeypatch.setenv("HONBUN_EMBED_HOSTS", "player.vimeo.com,example.jp")

    assert caught.value.detail.startswith(f"HONBUN_EMBED_HOSTS: blog.example.jp is the host of HONBUN_{own}")
    assert Settings.load().embed_hosts == ["example.jp", "player.vimeo.com"]


def test_replica_of_postgres_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONBUN_DATABASE_URL", "postgresql://u:p@one/x")
    monkeypatch.setenv("HONBUN_DATABASE_REPLICA_URL", "postgresql://u:p@two,three/x")

    assert value("DATABASE_REPLICA_URL") == "postgresql://u:p@two,three/x"


def test_replica_beside_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONBUN_DATABASE_REPLICA_URL", f"postgresql://u:{SECRET}@two/x")

    with pytest.raises(InvalidSettings) as caught:
        Settings.load()

    assert caught.value.detail == (
        "HONBUN_DATABASE_REPLICA_URL: only Postgres has replicas, and HONBUN_DATABASE_URL names SQLite"
    )


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings.load(api_key=SECRET, database_url=f"postgresql://u:{SECRET}@host/x"))

    assert SECRET not in shown


@pytest.mark.parametrize(("name", "text"), [("API_KEY", SECRET), ("DATABASE_URL", f"postgres://u:{SECRET}@host/x")])
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_secret_is_read_from_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, text: str, ending: str
) -> None:
    (tmp_path / "secret").write_bytes(f"{text}{ending}".encode())
    monkeypatch.setenv(f"HONBUN_{name}_FILE", str(tmp_path / "secret"))

    assert value(name) == text


def test_variable_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file")
    monkeypatch.setenv("HONBUN_API_KEY_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("HONBUN_API_KEY", SECRET)

    assert value("API_KEY") == SECRET


def test_empty_file_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONBUN_API_KEY_FILE", "")

    assert value("API_KEY") is None


def test_only_secrets_have_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "title").write_text("題")
    monkeypatch.setenv("HONBUN_SITE_TITLE_FILE", str(tmp_path / "title"))

    assert value("SITE_TITLE") == "Honbun"


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), (b"\xff\xfe", "not UTF-8"), (b"\n", "is empty")]
)
def test_secret_file_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("HONBUN_API_KEY_FILE", str(path))

    with pytest.raises(InvalidSettings) as caught:
        Settings.load()

    assert caught.value.detail.startswith(f"HONBUN_API_KEY_FILE: {path} ")
    assert caught.value.detail.endswith(reason)


class TestDotEnv:
    def test_settings_are_read_from_it(self) -> None:
        Path(".env").write_text("HONBUN_SITE_TITLE=本文\nOTHER=1\n")

        assert value("SITE_TITLE") == "本文"

    def test_environment_wins_over_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path(".env").write_text("HONBUN_SITE_TITLE=本文\n")
        monkeypatch.setenv("HONBUN_SITE_TITLE", "環境")

        assert value("SITE_TITLE") == "環境"

    def test_it_may_name_secret_files(self) -> None:
        Path("key").write_text(f"{SECRET}\n")
        Path(".env").write_text("HONBUN_API_KEY_FILE=key\n")

        assert value("API_KEY") == SECRET

    def test_wrong_encoding_is_one_line(self) -> None:
        Path(".env").write_bytes("HONBUN_SITE_TITLE=本文".encode("shift_jis"))

        with pytest.raises(InvalidSettings) as caught:
            Settings.load()

        assert caught.value.detail == ".env cannot be read: it is not UTF-8"


def test_argument_wins_and_none_is_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONBUN_PORT", "1000")

    assert Settings.load(port=2000).port == 2000
    assert Settings.load(port=None).port == 1000


def test_settings_make_the_context_and_the_links() -> None:
    loaded = Settings.load(timezone="Asia/Tokyo", lang="ja", site_url="https://blog.jp", root_path="/api")
    expected = Context(
        timezone="Asia/Tokyo", timezone_is_set=True, lang="ja", site_url="https://blog.jp", root_path="/api"
    )

    assert loaded.context == expected
    assert (loaded.links.zone.key, loaded.links.root_path) == ("Asia/Tokyo", "/api")
    assert loaded.links.site_url == "https://blog.jp"
