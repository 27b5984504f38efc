"""What a reader may ask for: the same answers from both databases, and each wrong parameter named."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy import text as sql

from app import migrate
from app.database import open_engine, writing
from app.errors import QueryError
from app.posts.filters import ArchiveQuery, DetailQuery, ListQuery, TermQuery
from app.posts.terms import term_tag, term_tags
from tests.building import NOW, markdown
from tests.posts.samples import found, page, query_of, take

TAGS: tuple[list[str], ...] = (["AI"], ["ai", "投資"], ["ＡＩ", "株価"], ["投資"], [], ["Straße"], ["STRASSE", "ai"])
AUTHORS = ("山田", "Yamada", "佐藤")
TITLES = ("株価", "カブカ", "かぶか", "Market", "market", "東京", "😀", "éclair", "ｶﾌﾞｶ", "Zoo")


def files() -> dict[str, str]:
    """Sixty posts, two of three in groups that share an instant."""
    made: dict[str, str] = {}
    for n in range(60):
        front: dict[str, Any] = {
            "title": TITLES[n % len(TITLES)],
            "slug": f"p{n:02}",
            "tags": TAGS[n % len(TAGS)],
            "categories": [["News"], ["news", "AI"], [], ["コラム"]][n % 4],
            "authors": [AUTHORS[n % 3]],
            "lang": ["ja", "en-GB", "en"][n % 3],
            "layout": ["post", "page"][n % 2],
            "reading_time": n % 7 + 1,
            "date": str((NOW - timedelta(hours=9 * (n // 3) + 1)).isoformat()),
            "series": {"name": f"連載{n % 4}", "part": n % 5},
            "rating": [n % 10 / 2, str(n % 10), n % 10][n % 3],
            "event": f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}",
            "isbn": "0123",
            "flag": n % 2 == 0,
            "places": [{"city": "東京"}, {"city": "大阪"}][: n % 3],
            "key.with.dots": n % 2,
            "_secret": n,
            "aliases": [f"/old/{n}.html"],
        }
        match n % 15:
            case 11:
                front["draft"] = True
            case 12:
                front["date"] = "2026-02-01T00:00:00Z"
            case 13:
                front["expires_at"] = "2026-01-10"
            case 14:
                del front["date"]
                front["draft"] = n % 2 == 0
        made[f"{n:02}-{TITLES[n % len(TITLES)]}.md"] = markdown(**front)
    return made


ALL = (
    *(f"sort={sort}" for sort in ("-published_at", "published_at", "-updated_at", "updated_at", "title", "-title")),
    *(f"status={status}" for status in ("published", "scheduled", "draft", "expired", "any")),
    *(f"status=any&sort={sort}" for sort in ("published_at", "-updated_at", "title")),
    "status=draft&status=scheduled",
    *(f"{name}=ai" for name in ("tag", "tag__all", "tag__not", "category", "category__not")),
    *(f"tag={tag}" for tag in ("AI", "ＡＩ", "Ai", "投資", "株価", "strasse", "STRAẞE", "ない", "%20ai%20")),
    "tag=ai&tag=投資",
    "tag__all=ai&tag__all=投資",
    "tag__not=ai&tag__not=投資",
    "tag=ai&tag__not=投資",
    "tag=投資&category=news&author=山田",
    "category=NEWS&category=コラム",
    "category__all=news&category__all=ai",
    "author=yamada",
    "author__not=山田&author__not=佐藤",
    "author__all=山田&author__all=佐藤",
    *(f"lang={lang}" for lang in ("ja", "JA", "en", "en_gb", "fr", "not a tag")),
    "lang=ja&lang=en-GB",
    "layout=post",
    "layout=post&layout=page&lang=en",
    *(f"published_at={text}" for text in ("2026", "2026-01", "2026-01-14", "2026-01-15T11:00:00Z", "2025", "0001")),
    *(f"published_at__{op}=2026-01-12" for op in ("gte", "gt", "lte", "lt")),
    *(f"published_at__{op}=2026-01-15T02:00:00Z" for op in ("gte", "gt", "lte", "lt")),
    "published_at__gte=2026-01-12T00:00:00 09:00&published_at__lt=2026-01-13",
    "published_at__gt=9999-12-31",
    "updated_at__gte=2026-01-14",
    "updated_at=2026-01",
    *(f"reading_time{op}=3" for op in ("", "__gte", "__gt", "__lte", "__lt")),
    "reading_time__gt=2&reading_time__lt=5",
    "reading_time=-1",
    "id=nobody",
    "slug=p03&slug=p04&slug=p12",
    "slug=p11&status=any",
    "alias=/old/3.html&alias=/old/4.html",
    "front_matter.series.name=連載1",
    "front_matter.series.name=連載1&front_matter.series.name=連載2",
    "front_matter.series.name__not=連載1",
    "front_matter.series.name__not=連載1&front_matter.series.name__not=連載2",
    "front_matter.series.part=3",
    "front_matter.series.part__gte=3",
    "front_matter.series.part__gt=1&front_matter.series.part__lt=4",
    "front_matter.rating=4",
    "front_matter.rating=2.5",
    "front_matter.rating__gte=2.5",
    "front_matter.rating__lt=-1e3",
    "front_matter.rating__lte=1e999",
    "front_matter.event=2025-03-03",
    "front_matter.event__gte=2025-06",
    "front_matter.event__lt=2025-03-03",
    "front_matter.event__gte=2025",
    "front_matter.event__gt=2025",
    "front_matter.isbn=0123",
    "front_matter.isbn=123",
    "front_matter.flag=true",
    "front_matter.flag=True",
    "front_matter.places.city=大阪",
    "front_matter.places.city__all=東京&front_matter.places.city__all=大阪",
    "front_matter.places.city__not=大阪",
    "front_matter.key.with.dots=1",
    "front_matter.tags=ai",
    "front_matter.missing=1",
    "front_matter.missing__not=1",
    f"front_matter.{'長' * 300}={'い' * 300}",
    "front_matter.title=' OR 1=1 --",
    "tag=%25&lang=_",
    "utm_source=x&fbclid=y&gclid=z&_=1&lang=ja",
)


@pytest.fixture(scope="module")
def engines(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    """Both databases with the same posts; that of Postgres in a schema of its own, which no other test empties."""
    own = f"{postgres_url}{'&' if '?' in postgres_url else '?'}options=-csearch_path%3Dcompared"
    opened = {
        "sqlite": open_engine(f"sqlite:///{tmp_path_factory.mktemp('both') / 'honbun.db'}"),
        "postgres": open_engine(own),
    }
    with writing(opened["postgres"]) as connection:
        connection.execute(sql("DROP SCHEMA IF EXISTS compared CASCADE"))
        connection.execute(sql("CREATE SCHEMA compared"))
    for engine in opened.values():
        migrate.upgrade(engine)
        assert not take(engine, files()).has_failures
    yield opened
    for engine in opened.values():
        engine.dispose()


@pytest.mark.parametrize("text", ALL)
def test_both_databases_answer_alike(engines: dict[str, Engine], text: str) -> None:
    sqlite, postgres = (page(engine, text, limit=100, zone="Asia/Tokyo") for engine in engines.values())

    assert sqlite.items == postgres.items
    assert sqlite.total == postgres.total == len(sqlite.items)


def shown(n: int) -> bool:
    return n % 15 not in (11, 12, 13) and not (n % 15 == 14 and n % 2 == 0)


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        ("", shown),
        ("status=any", lambda _: True),
        ("status=draft", lambda n: n % 15 == 11 or (n % 15 == 14 and n % 2 == 0)),
        ("status=scheduled", lambda n: n % 15 == 12),
        ("status=expired", lambda n: n % 15 == 13),
        ("tag=ai", lambda n: shown(n) and n % 7 in (0, 1, 2, 6)),
        ("tag=strasse", lambda n: shown(n) and n % 7 in (5, 6)),
        ("tag__not=ai", lambda n: shown(n) and n % 7 in (3, 4, 5)),
        ("tag__all=ai&tag__all=投資", lambda n: shown(n) and n % 7 == 1),
        ("lang=en_gb", lambda n: shown(n) and n % 3 == 1),
        ("front_matter.series.part__gte=3", lambda n: shown(n) and n % 5 >= 3),
        ("front_matter.event__gt=2025", lambda _: False),
        ("front_matter.event__gte=2025", shown),
        ("front_matter.isbn=123", lambda _: False),
        ("front_matter.flag=true", lambda n: shown(n) and n % 2 == 0),
        ("front_matter.rating__gte=4", lambda n: shown(n) and n % 3 != 1 and (n % 10) / (2 if n % 3 == 0 else 1) >= 4),
    ],
)
def test_filter_finds_those_that_are_meant(
    engines: dict[str, Engine], text: str, is_meant: Callable[[int], bool]
) -> None:
    expected = [f"p{n:02}" for n in range(60) if is_meant(n)]

    assert sorted(found(engines["sqlite"], text, limit=100)) == expected


class TestMeaning:
    """Each filter on few posts, so that the answer can be read."""

    @pytest.fixture
    def filled(self, engine: Engine) -> Engine:
        take(
            engine,
            {
                "a.md": markdown(date="2025-12-31T23:30:00Z", tags=["AI", "投資"], year=2024, at="2024-05-01", n=10),
                "b.md": markdown(date="2025-12-31T10:00:00Z", tags=["ai"], n="9", lang="en-GB", at=["2023-01-01", 7]),
                "c.md": markdown(date="2025-11-30", tags=["本"], n=None, deep={"er": {"est": ["x", "y"]}}),
            },
        )
        return engine

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("tag=ＡＩ", "ab"),
            ("tag=ai&tag=本", "abc"),
            ("tag__all=ai&tag__all=投資", "a"),
            ("tag__not=投資", "bc"),
            ("published_at=2025-12", "b"),
            ("published_at=2026", "a"),
            ("published_at__gt=2025-12", "a"),
            ("published_at__lte=2025-12", "bc"),
            ("published_at__lt=2025-12", "c"),
            ("published_at__gte=2025-12", "ab"),
            ("published_at=2025-12-31T10:00:00Z", "b"),
            ("published_at=2025-12-31T19:00:00 09:00", "b"),
            ("front_matter.year__gte=2024", "a"),
            ("front_matter.at__lt=2024", "b"),
            ("front_matter.at__gte=2024", "a"),
            ("front_matter.at__lte=7", "b"),
            ("front_matter.n=9", "b"),
            ("front_matter.n__gte=5", "a"),
            ("front_matter.deep.er.est=y", "c"),
            ("front_matter.deep.er.est__all=x&front_matter.deep.er.est__all=y", "c"),
            ("front_matter.deep.er=x", ""),
            ("slug=a&slug=c", "ac"),
            ("lang=EN-gb", "b"),
        ],
    )
    def test_filter_lets_through(self, filled: Engine, text: str, expected: str) -> None:
        assert "".join(sorted(found(filled, text, zone="Asia/Tokyo"))) == expected

    def test_ids_are_asked_for_by_repeating(self, filled: Engine) -> None:
        ids = [item["id"] for item in page(filled, fields="id").items]

        assert len(found(filled, id=ids[:2])) == 2

    def test_decomposed_slug_finds_its_post(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(slug="ガイド")})

        assert found(engine, slug="カ\u3099イト\u3099") == ["ガイド"]

    def test_long_values_are_found_by_the_whole_of_them(self, engine: Engine) -> None:
        long = "長" * 600
        take(engine, {"a.md": markdown(note=f"{long}a", tags=[long]), "b.md": markdown(note=f"{long}b")})

        assert found(engine, f"front_matter.note={long}a") == ["a"]
        assert found(engine, tag=long) == ["a"]

    @pytest.mark.parametrize("path", ["_secret", "deep._secret", "_deep.open", "_a.b"])
    def test_private_field_cannot_be_filtered_by(self, engine: Engine, path: str) -> None:
        with pytest.raises(QueryError) as caught:
            found(engine, f"front_matter.{path}__gte=1")

        assert (caught.value.reason, caught.value.parameter) == ("private_field", f"front_matter.{path}__gte")

    @pytest.mark.parametrize("value", ["soon", "nan", "inf", "1_000", "2025-13-01", "", "0x10"])
    def test_range_that_is_neither_number_nor_date_is_refused(self, engine: Engine, value: str) -> None:
        with pytest.raises(QueryError) as caught:
            found(engine, f"front_matter.n__gte={value}")

        assert caught.value.parameter == "front_matter.n__gte"


class TestWrongParameters:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("tga=x", "unknown_parameter"),
            ("front_matter=x", "unknown_parameter"),
            ("front_matter.=x", "invalid_parameter"),
            ("tag=", "empty_value"),
            ("tag=%20", "empty_value"),
            ("tag=a%00b", "control_character"),
            ("tag%00=b", "control_character"),
            ("front_matter.a=%1b", "control_character"),
            ("published_at=soon", "invalid_date"),
            ("published_at__gte=2025-02-30", "invalid_date"),
            ("updated_at__lt=", "invalid_date"),
            ("reading_time=x", "int_parsing"),
            ("reading_time__gte=99999999999", "less_than_equal"),
            ("limit=0", "greater_than_equal"),
            ("limit=101", "less_than_equal"),
            ("page=0", "greater_than_equal"),
            ("page=1&cursor=x", "invalid_parameter"),
            ("cursor=", "invalid_cursor"),
            ("sort=random", "literal_error"),
            ("status=visible", "literal_error"),
            ("wait=31", "less_than_equal"),
            (f"tag={'x' * 2001}", "too_long"),
            (f"front_matter.a={'x' * 2001}", "invalid_parameter"),
            ("&".join(f"tag={n}" for n in range(101)), "too_long"),
            ("&".join(f"front_matter.a={n}" for n in range(101)), "invalid_parameter"),
        ],
    )
    def test_wrong_parameter_has_its_code(self, text: str, code: str) -> None:
        with pytest.raises(ValidationError) as caught:
            query_of(ListQuery, text)

        assert [error["type"] for error in caught.value.errors()] == [code]

    @pytest.mark.parametrize(
        ("model", "text", "hint"),
        [
            (ListQuery, "tags=x", "did you mean tag?"),
            (ListQuery, "categry=x", "did you mean category?"),
            (DetailQuery, "feilds=x", "did you mean fields?"),
            (TermQuery, "srot=x", "did you mean sort?"),
            (ArchiveQuery, "xyzzy=1", "known are by, min_version, wait"),
        ],
    )
    def test_unknown_parameter_names_the_nearest_known_one(self, model: type[Any], text: str, hint: str) -> None:
        with pytest.raises(ValidationError) as caught:
            query_of(model, text)

        assert caught.value.errors()[0]["ctx"]["hint"] == hint

    def test_terms_are_paged_one_way_at_a_time(self) -> None:
        with pytest.raises(ValidationError) as caught:
            query_of(TermQuery, "page=1&cursor=x")

        assert caught.value.errors()[0]["type"] == "invalid_parameter"


class TestParsing:
    @pytest.mark.parametrize(
        ("name", "path", "operator"),
        [
            ("front_matter.series", "series", ""),
            ("front_matter.series.part__gte", "series.part", "gte"),
            ("front_matter.a__b", "a__b", ""),
            ("front_matter.a__all__not", "a__all", "not"),
            ("front_matter.名前__lt", "名前", "lt"),
        ],
    )
    def test_field_parameter_is_read_and_named_again(self, name: str, path: str, operator: str) -> None:
        (field,) = query_of(ListQuery, f"{name}=1").front_matter

        assert (field.path, field.operator, field.values, field.parameter) == (path, operator, ("1",), name)

    def test_field_parameter_that_is_no_list_is_one_value(self) -> None:
        assert ListQuery.model_validate({"front_matter.a": "x"}).front_matter[0].values == ("x",)

    def test_names_take_commas_and_repeat(self) -> None:
        query = query_of(ListQuery, fields=["slug, title", "slug,,html"])

        assert query.fields == ("slug", "title", "html")

    @pytest.mark.parametrize(
        ("statuses", "expected"),
        [
            ([], {"published"}),
            (["draft"], {"draft"}),
            (["draft", "any"], {"published", "scheduled", "draft", "expired"}),
        ],
    )
    def test_statuses_are_those_asked_for(self, statuses: list[str], expected: set[str]) -> None:
        assert query_of(ListQuery, status=statuses).statuses == expected

    def test_identity_is_of_filters_and_sort_alone(self) -> None:
        plain = query_of(ListQuery, "tag=AI&sort=title").identity
        other = query_of(ListQuery, "tag=AI&sort=title&limit=5&total=false&fields=slug&utm_source=x&wait=1").identity

        assert plain == other
        assert plain != query_of(ListQuery, "tag=AI&sort=-title").identity
        assert plain != query_of(ListQuery, "tag=AI&sort=title&front_matter.a=1").identity

    def test_copy_keeps_nothing_that_was_found_out_for_the_other(self) -> None:
        query = query_of(ListQuery, "tag=AI&sort=title&page=2")
        known = {query}
        assert query.identity
        assert not query.is_long
        copied = query.model_copy(update={"tag": ("x" * 1500,), "sort": None})
        made = ListQuery(tag=("x" * 1500,), sort=None, page=2)

        assert copied == made
        assert hash(copied) == hash(made)
        assert copied not in known
        assert copied.identity == made.identity
        assert copied.is_long
        assert copied.of_first_page.of_posts == made.of_first_page.of_posts == ListQuery(tag=made.tag)

    def test_what_is_no_mapping_is_no_query(self) -> None:
        with pytest.raises(ValidationError):
            ListQuery.model_validate("tag=AI")


def test_cache_tags_are_of_terms_that_must_be_there() -> None:
    query = query_of(ListQuery, "tag=ＡＩ&category__all=本&author__not=山田")

    assert list(term_tags(query)) == [term_tag("category", "本"), term_tag("tag", "ai")]
