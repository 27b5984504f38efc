"""The index in Postgres: a `tsvector` of our tokens under GIN finds candidates, the normal form decides.

GIN keeps no positions, so Postgres itself would read every candidate again to find a phrase. We read the normal form
instead, a `position()` away. So the vector needs no real positions, and none of its limits (16 383 positions, 256 of a
lexeme, 2 046 bytes a lexeme) can hide a post; a post whose vector would pass 1 MB is marked, found as a candidate of
every query and decided by its normal form. Positions only carry the weights and the frequency for `ts_rank`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    REAL,
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Text,
    any_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    literal,
    not_,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR, insert

from app.search.entries import PARTIAL
from app.search.query import Phrase, SearchQuery
from app.search.tokens import SEPARATOR

_rows = table(
    "post_search",
    column("pk", Integer),
    column("normal_form", Text),
    column("is_partial", Boolean),
    column("head", TSVECTOR),
    column("tokens", TSVECTOR),
    column("typed_title", Text),
    column("title", TSVECTOR),
)
_VECTORS = ("head", "tokens", "title")
_MAX_RANKED_BY_TEXT = 200  # posts; for each its large vector has to be read
_MAX_CANDIDATE_TOKENS = 24  # more would not narrow the candidates
_PHRASES = {"needle": Text, "is_wanted": Boolean, "is_exact": Boolean}  # what the text is asked, an array of each
# Of text, excerpt, tags, title: one mention in a better field outweighs any number in the next.
_WEIGHTS = [0.000001, 0.0001, 0.01, 1.0]
_DDL = (
    """CREATE TABLE post_search (
        pk integer PRIMARY KEY REFERENCES post (pk) ON DELETE CASCADE,
        normal_form text COLLATE "C" NOT NULL,
        is_partial boolean NOT NULL,
        head tsvector NOT NULL,
        tokens tsvector NOT NULL,
        typed_title text COLLATE "C" NOT NULL,
        title tsvector NOT NULL
    )""",
    # Uncompressed: phrases are looked for in it, and unpacking takes longer than looking.
    "ALTER TABLE post_search ALTER normal_form SET STORAGE EXTERNAL",
    # The planner does not know what it costs to read a large value of a row: it takes reading all vectors for cheaper
    # than the index. This function does nothing but say so; 4 000 operators are about what a vector takes.
    """CREATE FUNCTION post_search_read(tokens tsvector) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 4000 AS 'BEGIN RETURN tokens; END'""",
    "CREATE INDEX ix_post_search_tokens ON post_search USING gin (post_search_read(tokens))",
    "CREATE INDEX ix_post_search_title ON post_search USING gin (title)",
)


def create(connection: Connection) -> None:
    for statement in _DDL:
        connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    connection.exec_driver_sql("DROP TABLE IF EXISTS post_search")
    connection.exec_driver_sql("DROP FUNCTION IF EXISTS post_search_read")


def write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    vectors = {name: cast(bindparam(f"{name}_vector", type_=Text), TSVECTOR) for name in _VECTORS}
    new = insert(_rows).values(vectors)
    replaced = {name: new.excluded[name] for name in ("normal_form", "is_partial", "typed_title", *_VECTORS)}
    connection.execute(new.on_conflict_do_update(index_elements=[_rows.c.pk], set_=replaced), rows)


def remove(connection: Connection, pks: Iterable[int]) -> None:
    connection.execute(delete(_rows).where(_rows.c.pk.in_(list(pks))))


def parameters(query: SearchQuery) -> dict[str, Any]:
    """What `found`, `unwanted` and `ranked` look for."""
    phrases = (*query.required, *query.excluded)
    exact = _lexemes_of(filter(_is_exact, query.excluded))
    by_text = (_conjunction([phrase]) for phrase in query.excluded if not _is_exact(phrase))
    return {
        "search_candidates": f"({' & '.join((_conjunction(query.required), *(f'!{token}' for token in exact)))}) | {PARTIAL}",
        "search_needle": [phrase.needle for phrase in phrases],
        "search_is_wanted": [phrase in query.required for phrase in phrases],
        "search_is_exact": list(map(_is_exact, phrases)),
        "search_by_text": not all(map(_is_exact, phrases)),
        "search_unwanted": " | ".join(exact) or SEPARATOR,
        "search_unwanted_by_text": " | ".join((*(f"({tokens})" for tokens in by_text), PARTIAL)),
        "search_ranked": " | ".join(_lexemes_of(query.required)[:_MAX_CANDIDATE_TOKENS]) or SEPARATOR,
    }


def _is_exact(phrase: Phrase) -> bool:
    """Whether the vector alone tells that a post has a phrase: of more tokens only the text says that they stand so."""
    return len(phrase.tokens) == 1


def found(query: SearchQuery) -> Select[int]:
    """The posts that have all that is required and nothing that is excluded, as a column `pk`."""
    given = parameters(query)
    is_for_text = _rows.c.is_partial | _given("search_by_text", given, Boolean)
    is_right = case((is_for_text, not_(_text_differs(given))), else_=true())
    return select(_rows.c.pk).where(_candidate("search_candidates", given), is_right)


def unwanted(query: SearchQuery) -> Any:
    """The posts that have anything excluded, as a column `pk`; the query requires nothing."""
    given = parameters(query)
    by_vector = select(_rows.c.pk).where(_candidate("search_unwanted", given))
    by_text = select(_rows.c.pk).where(_candidate("search_unwanted_by_text", given), _text_differs(given))
    return by_vector.union_all(by_text)


def _candidate(name: str, given: Mapping[str, Any]) -> ColumnElement[bool]:
    vector = func.post_search_read(_rows.c.tokens, type_=TSVECTOR)
    return vector.op("@@")(cast(_given(name, given, Text), TSQUERY))


def _text_differs(given: Mapping[str, Any]) -> ColumnElement[bool]:
    """Whether a phrase that is required does not stand in the normal form, or one that is excluded does.

    What the vector tells is not asked again. The form is long, and so fetched once for all phrases.
    """
    form = select((_rows.c.normal_form + "").label("text")).correlate(_rows).offset(0).subquery()
    arrays = (_given(f"search_{name}", given, ARRAY(kind)) for name, kind in _PHRASES.items())
    phrase = func.unnest(*arrays).table_valued(*_PHRASES).render_derived()
    stands = func.strpos(form.c.text, phrase.c.needle) > 0
    differs = (stands != phrase.c.is_wanted) & (_rows.c.is_partial | not_(phrase.c.is_exact))
    return select(literal(1)).select_from(form, phrase).where(differs).correlate(_rows).exists()


def _given(name: str, given: Mapping[str, Any], type_: Any) -> ColumnElement[Any]:
    return bindparam(name, given[name], type_)


def titled() -> Select[int]:
    """The posts whose title, as it is typed, has all of the phrases of `typed_parameters`."""
    candidates, needles = bindparam("typed_candidates", type_=Text), bindparam("typed_needles", type_=ARRAY(Text))
    phrase = func.unnest(needles).table_valued("needle").render_derived()
    lacks = select(literal(1)).where(func.strpos(_rows.c.typed_title, phrase.c.needle) == 0).correlate(_rows)
    return select(_rows.c.pk).where(_rows.c.title.op("@@")(cast(candidates, TSQUERY)), ~lacks.exists())


def typed_parameters(phrases: tuple[Phrase, ...]) -> dict[str, Any]:
    return {"typed_candidates": _conjunction(phrases), "typed_needles": [phrase.needle for phrase in phrases]}


def among(pk: ColumnElement[Any], found_posts: Select[int]) -> ColumnElement[bool]:
    # As an array the index is asked first and once. With IN the planner may walk the posts by date and read each one's
    # vector, or read all posts to join them.
    return pk == any_(func.array(found_posts.scalar_subquery(), type_=ARRAY(Integer)))


def _conjunction(phrases: Iterable[Phrase]) -> str:
    """What the vectors of the posts that have all of the phrases hold: all that the text is not asked for, and more."""
    listed = tuple(phrases)
    exact = _lexemes_of(filter(_is_exact, listed))
    others = sorted(set(_lexemes_of(listed)).difference(exact), key=lambda lexeme: (-len(lexeme), lexeme))
    return " & ".join((*exact, *others[: max(1, _MAX_CANDIDATE_TOKENS - len(exact))])) or SEPARATOR


def _lexemes_of(phrases: Iterable[Phrase]) -> list[str]:
    return list(dict.fromkeys(lexeme for phrase in phrases for lexeme in _query_lexemes(phrase)))


def _query_lexemes(phrase: Phrase) -> list[str]:
    *first, last = phrase.tokens
    return [*first, f"{last}:*" if phrase.is_open else last]


def ranked(query: SearchQuery) -> Select[tuple[int, float]]:
    """The posts found and how well, the better the higher; among many, what their text says makes no difference."""
    wanted = cast(_given("search_ranked", parameters(query), Text), TSQUERY)

    def rank(vector: ColumnElement[Any]) -> ColumnElement[float]:
        return func.ts_rank(literal(_WEIGHTS, ARRAY(REAL)), vector, wanted, type_=Float)

    by_head = found(query).add_columns(rank(_rows.c.head).label("score"))
    hits = by_head.cte("found").prefix_with("MATERIALIZED")
    are_few = select(func.count()).select_from(hits).scalar_subquery() <= _MAX_RANKED_BY_TEXT
    by_text = select(rank(_rows.c.tokens)).where(_rows.c.pk == hits.c.pk).scalar_subquery()
    return select(hits.c.pk, case((are_few, by_text), else_=hits.c.score).label("score"))
