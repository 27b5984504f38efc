"""A command's files into an empty database: written while they are parsed, so that all processors have work.

There is nothing to plan, since nothing is renamed, replaced or removed. Slugs are given in the end as any upload gives
them, and the few posts that were written with another get theirs then. Other writers wait for as long as it takes; an
empty database has none.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from app.errors import Finding
from app.posts.changes import Turn
from app.posts.look import Intake, Seen, say_unchanged, wanted
from app.posts.models import posts
from app.posts.plan import Claim, give_slugs
from app.posts.records import Outline
from app.posts.report import Result
from app.posts.sites import write_sites
from app.posts.spool import Spool
from app.posts.store import chunks
from app.posts.writing import Plan, Writer

PORTION = 32  # posts; while they are written as many more are parsed
_RENAMED = update(posts).where(posts.c.source_name == bindparam("name")).values(slug=bindparam("given"))


def is_first(connection: Connection, intake: Intake) -> bool:
    """Whether these are the first posts of a database, by a command and not of an export."""
    is_plain = intake.options.via == "cli" and not intake.options.states
    return is_plain and connection.execute(select(posts.c.pk).limit(1)).first() is None


def take_first(connection: Connection, intake: Intake, turn: Turn, seen: Seen) -> None:
    """Parses and writes the whole upload, and says what becomes of each file."""
    write_sites(connection, seen.sites, intake.options.via)
    sources = wanted(intake, seen)
    packed = zip(sources, intake.pack_each(tuple(sources.values()), seen.contexts), strict=True)
    documents: list[Outline] = []
    holders: dict[str, str] = {}  # slug -> the first that asks for it
    failed: list[Result] = []
    created: list[Result] = []
    for portion in chunks(packed, PORTION):
        fresh: list[Outline] = []
        with Spool() as spool:
            for (name, _, _), found in portion:
                if isinstance(found, Finding):
                    failed.append(Result(name=name, action="failed", problem=found))
                else:
                    fresh.append(replace(found.outline, place=spool.put(found)))
                    holders.setdefault(found.outline.slug, name)
            slugs = {one.name: one.slug if holders[one.slug] == one.name else _nobodys(one.name) for one in fresh}
            plan = Plan(stale=(), fresh=fresh, replaced={}, gone={}, slugs=slugs, taken_slugs={})
            own = replace(intake, spool=spool, results=created, on_result=lambda _: None)
            Writer(connection=connection, intake=own, plan=plan, turn=turn).write()
        documents += fresh
    given, remarks = give_slugs([_claim(document, intake.now) for document in documents], lambda _: None)
    _rename(connection, {name: slug for name, slug in given.items() if holders.get(slug) != name})
    say_unchanged(intake, seen, {name for name, _, _ in sources})
    for result in (*failed, *(_named(result, given, remarks) for result in created)):
        intake.say(result)


def _claim(document: Outline, now: datetime) -> Claim:
    return Claim(document=document, post=None, instant=document.date or now)


def _nobodys(name: str) -> str:
    """What stands for a slug meanwhile: none has a slash."""
    return f"/{name}"


def _rename(connection: Connection, given: Mapping[str, str]) -> None:
    """Gives posts their slugs, by name; two of them may exchange theirs."""
    if given:
        connection.execute(_RENAMED, [{"name": name, "given": _nobodys(name)} for name in given])
        connection.execute(_RENAMED, [{"name": name, "given": slug} for name, slug in given.items()])


def _named(result: Result, given: Mapping[str, str], remarks: Mapping[str, Finding]) -> Result:
    """A result with the slug that its post has in the end, and why it is another than was asked for."""
    post = result.post and replace(result.post, slug=given[result.name])
    remark = [remarks[result.name]] if result.name in remarks else []
    return replace(result, post=post, warnings=(*result.warnings, *remark))
