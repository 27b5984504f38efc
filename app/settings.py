"""Settings from the environment or `.env`, prefix `HONBUN_`; read by `main` and `cli` only."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Self, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.documents.document import Context
from app.documents.language import is_bcp47
from app.documents.links import Links
from app.errors import HonbunError
from app.logs import Format, Level

MIB = 1024 * 1024
TEMPLATE_TOKENS = ("slug", "id", "year", "month", "day", "category", "lang")


class InvalidSettings(HonbunError):
    """A setting that cannot be used; the message is one line and names it, never a secret's value."""

    code = "invalid_setting"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        message = f"{name!r} is no IANA time zone; write for example Asia/Tokyo"
        raise ValueError(message) from error
    return name


def _base_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("write an address with http:// or https://")
    return address.rstrip("/")


def _template(template: str) -> str:
    tokens = " ".join(f"{{{token}}}" for token in TEMPLATE_TOKENS)
    try:
        parts = [part[1:] for part in Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"a brace stands alone; the tokens are {tokens}") from error
    if any(token not in TEMPLATE_TOKENS or form or conversion for token, form, conversion in parts):
        raise ValueError(f"the tokens are {tokens}")
    return template


def _language(tag: str) -> str:
    if not is_bcp47(tag):
        raise ValueError("write a BCP 47 tag such as ja or en-GB")
    return tag


def _root_path(path: str) -> str:
    if path and not path.startswith("/"):
        raise ValueError("write a path that begins with /")
    return path.rstrip("/")


def _database_url(url: SecretStr) -> SecretStr:
    """Messages never quote the address: it may hold a password."""
    text = url.get_secret_value()
    if text.startswith("sqlite:///") and text.removeprefix("sqlite:///") not in ("", ":memory:"):
        return url
    return _postgres_url(url)


def _postgres_url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("write sqlite:///FILE or postgresql://…")
    from psycopg import Error, conninfo  # noqa: PLC0415 - loaded where it is used

    try:
        conninfo.conninfo_to_dict(url.get_secret_value())
    except Error:
        raise ValueError("libpq cannot read this as postgresql://USER:PASSWORD@HOST/DATABASE") from None
    return url


def _list(value: Any) -> Any:
    """A list as JSON, or its members divided by commas."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [part.strip() for part in value.split(",") if part.strip()]
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('write a list as ["a", "b"] or a,b') from None


def _hosts(names: list[str]) -> list[str]:
    if not all(_HOST.fullmatch(name) for name in names):
        raise ValueError('write names of hosts alone, such as ["www.youtube-nocookie.com"]')
    return sorted({name.lower() for name in names})


_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
Texts = Annotated[list[str], NoDecode, BeforeValidator(_list)]
Address = Annotated[str, AfterValidator(_base_address)]


class Settings(BaseSettings):
    """Every setting; sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="HONBUN_",
        env_file=".env",
        env_ignore_empty=False,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("sqlite:///honbun.db")
    database_listen_url: Annotated[SecretStr, AfterValidator(_postgres_url)] | None = None
    database_replica_url: Annotated[SecretStr, AfterValidator(_postgres_url)] | None = None
    content_dir: str = "content"
    api_key: SecretStr | None = None
    remote_url: Address | None = None
    remote_key: SecretStr | None = None
    site_title: str = "Honbun"
    site_description: str = ""
    site_url: Address | None = None
    post_url_template: Annotated[str, AfterValidator(_template)] | None = None
    asset_url: Address | None = None
    embed_hosts: Annotated[Texts, AfterValidator(_hosts)] = []
    root_path: Annotated[str, AfterValidator(_root_path)] = ""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    lang: Annotated[str, AfterValidator(_language)] | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=256)
    forwarded_allow_ips: str | None = None
    cors_origins: Texts = ["*"]
    s_maxage: int = Field(default=60, ge=0)
    cache_bytes: int = Field(default=32 * MIB, ge=0)
    public_source: bool = False
    private_front_matter: Texts = ["_*"]
    max_file_bytes: int = Field(default=2 * MIB, ge=1)
    max_upload_bytes: int = Field(default=64 * MIB, ge=1)
    max_files: int = Field(default=10_000, ge=1)
    read_seconds: float = Field(default=30, gt=0, le=3600)
    render_seconds: float = Field(default=3.5, gt=0, le=3600)
    database_patience: float = Field(default=15, gt=0)
    migrate: bool = True
    risk_power_loss: bool = False
    max_connections: int = Field(default=2000, ge=1, le=1_000_000)
    max_reads: int = Field(default=1000, ge=1)
    max_writes: int = Field(default=128, ge=1)
    writes_per_minute: int = Field(default=6000, ge=0)
    failed_keys_per_minute: int = Field(default=300, ge=0)
    upload_patience: float = Field(default=20, gt=0)
    drain_seconds: float = Field(default=1, ge=0, le=60)
    log_format: Format = "auto"
    log_level: Level = "info"
    access_log: bool = False
    metrics: bool = False
    traces: bool = False
    characters_per_minute: int = Field(default=500, ge=1)

    @field_validator(
        "lang",
        "database_listen_url",
        "database_replica_url",
        "api_key",
        "remote_url",
        "remote_key",
        "site_url",
        "asset_url",
        "post_url_template",
        "forwarded_allow_ips",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("database_replica_url")
    @classmethod
    def _is_of_postgres(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        primary = info.data.get("database_url")
        if url is not None and primary is not None and primary.get_secret_value().startswith("sqlite:"):
            raise ValueError("only Postgres has replicas, and HONBUN_DATABASE_URL names SQLite")
        return url

    @field_validator("embed_hosts")
    @classmethod
    def _is_foreign(cls, hosts: list[str], info: ValidationInfo) -> list[str]:
        """A frame of the page's own host could take its own sandbox away."""
        for name in ("site_url", "asset_url"):
            if (host := urlsplit(info.data.get(name) or "").hostname) in hosts:
                raise ValueError(f"{host} is the host of HONBUN_{name.upper()}; name hosts of others alone")
        return hosts

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del file_secret_settings  # ours below: one variable a secret, as container images have it
        sources = [source for source in (dotenv_settings, env_settings) if isinstance(source, EnvSettingsSource)]
        variables = {name: value for source in sources for name, value in source.env_vars.items()}
        return init_settings, env_settings, _SecretFiles(settings_cls, variables), dotenv_settings

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """The settings in force.

        Raises InvalidSettings with one line that names the setting.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            name = str(first["loc"][0]).upper() if first["loc"] else "SETTINGS"
            raise InvalidSettings(f"HONBUN_{name}: {first['msg'].removeprefix('Value error, ')}") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise InvalidSettings(f".env cannot be read: {reason}") from None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def context(self) -> Context:
        """What a document depends on beside its bytes."""
        return Context(
            timezone=self.timezone,
            timezone_is_set="timezone" in self.model_fields_set,
            lang=self.lang,
            asset_url=self.asset_url,
            site_url=self.site_url,
            post_url_template=self.post_url_template,
            root_path=self.root_path,
            characters_per_minute=self.characters_per_minute,
            embed_hosts=tuple(self.embed_hosts),
        )

    @property
    def links(self) -> Links:
        return Links(root_path=self.root_path, site_url=self.site_url, template=self.post_url_template, zone=self.zone)


class _SecretFiles(PydanticBaseSettingsSource):
    """`HONBUN_API_KEY_FILE=/run/secrets/key` and the like: the file's text without its last newline."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self.variables = variables  # names in lower case

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = self.variables.get(f"honbun_{field_name}_file")
        if not path or SecretStr not in (field.annotation, *get_args(field.annotation)):
            return None, field_name, False
        return _secret(Path(path), f"HONBUN_{field_name.upper()}_FILE"), field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}


def _secret(path: Path, variable: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise InvalidSettings(f"{variable}: {path} is not UTF-8") from None
    except OSError as error:
        raise InvalidSettings(f"{variable}: {path} cannot be read: {error.strerror}") from None
    if not text:
        raise InvalidSettings(f"{variable}: {path} is empty")
    return text
