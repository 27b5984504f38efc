"""What a plan decided, written by the portion: the records of a few posts are in memory at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeAlias

from sqlalchemy import Connection

from app.errors import Finding
from app.posts.changes import Turn
from app.posts.look import Intake, stored_of
from app.posts.models import AnyRow
from app.posts.options import Options, PostState
from app.posts.records import Outline, Records
from app.posts.replacing import replace_posts
from app.posts.report import Action, Result
from app.posts.store import (
    changed_fields,
    chunks,
    free_slugs,
    insert_posts,
    new_ids,
    next_pk,
    row_of,
    stored_whole,
    write_former_slugs,
)

PORTION = 100  # posts
Written: TypeAlias = tuple[dict[str, Any], Records]  # the row of a post, and what belongs to it
_Noted: TypeAlias = tuple[Outline, Action, dict[str, Any], tuple[str, ...]]  # and the fields that an update changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """New name -> the stored post that it replaces; name -> a post that goes; name -> slug, and why it is another."""

    stale: Collection[str]  # names of stored sources that mean something else now
    fresh: Sequence[Outline]
    replaced: Mapping[str, AnyRow]
    gone: Mapping[str, AnyRow]
    slugs: Mapping[str, str]
    taken_slugs: Mapping[str, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes a plan in a turn, says what becomes of each file, and puts it down in the history."""

    connection: Connection
    intake: Intake
    plan: Plan
    turn: Turn

    def write(self) -> None:
        plan = self.plan
        new = [document for document in plan.fresh if document.name not in plan.replaced]
        changed = [document for document in plan.fresh if document.name in plan.replaced]
        before = ((plan.replaced[document.name], plan.slugs[document.name]) for document in changed)
        free_slugs(self.connection, {row.pk: row.slug for row, slug in before if row.slug != slug})
        if new:
            self._create(new)
        for portion in chunks(changed, PORTION):
            self._replace(portion)
        for rows in chunks(plan.gone.values(), PORTION):
            self.turn.note([history_of("deleted", row, None, self.intake.options) for row in rows], before=rows)
            for row in rows:
                self.intake.say(_result("deleted", row))

    def _create(self, documents: Sequence[Outline]) -> None:
        states = self.intake.options.states
        restored = {document.name: states[document.name] for document in documents if document.name in states}
        ids = new_ids(
            self.connection,
            [document.name for document in documents],
            {name: state.id for name, state in restored.items()},
        )
        pks = count(next_pk(self.connection))
        for portion in chunks(documents, PORTION):
            written = [
                self._written(document, next(pks), ids[document.name], _origin(document, restored))
                for document in portion
            ]
            insert_posts(self.connection, written)
            slugs = {
                row["pk"]: restored[name].former_slugs for row, _ in written if (name := row["source_name"]) in restored
            }
            write_former_slugs(self.connection, slugs)
            self._note([(document, "created", row, ()) for document, (row, _) in zip(portion, written, strict=True)])

    def _replace(self, portion: Sequence[Outline]) -> None:
        before = [self.plan.replaced[document.name] for document in portion]
        stored = stored_whole(self.connection, [row.pk for row in before])
        written = [
            self._written(document, row.pk, row.id, stored[row.pk])
            for document, row in zip(portion, before, strict=True)
        ]
        is_of_texts = replace_posts(self.connection, written, stored)
        noted: list[_Noted] = []
        for document, old, (row, records) in zip(portion, before, written, strict=True):
            action: Action = "updated" if old.source_name == document.name else "renamed"
            slug = ("slug",) if old.slug != row["slug"] else ()
            noted.append((document, action, row, (*slug, *changed_fields(stored[old.pk], row, records))))
        self._note(noted, before, is_of_texts=is_of_texts)

    def _written(self, document: Outline, pk: int, id: str, before: Any) -> Written:  # noqa: A002 - its name
        records = self.intake.spool.get(document.place)
        own = {"pk": pk, "id": id, "slug": self.plan.slugs[document.name], "slug_wanted": document.slug}
        return row_of(records.post, records.dates, own, now=self.intake.now, before=before), records

    def _note(self, noted: Sequence[_Noted], before: Sequence[AnyRow] = (), *, is_of_texts: bool = False) -> None:
        """Says what became of some posts, and puts it down in the history."""
        stale = self.plan.stale
        rerendered = replace(
            self.intake.options, via="rerender"
        )  # nobody's words: the same bytes, read by other settings
        history: list[dict[str, Any]] = []
        after = [SimpleNamespace(**row) for _, _, row, _ in noted]
        for row, (document, action, _, changed) in zip(after, noted, strict=True):
            options = rerendered if document.name in stale else self.intake.options
            history.append(history_of(action, row, document.sha256, options))
            taken = self.plan.taken_slugs.get(document.name)
            warnings = document.warnings if taken is None else (*document.warnings, taken)
            self.intake.say(_result(action, row, changed=changed, warnings=warnings))
        self.turn.note(history, before=before, after=after, is_of_texts=is_of_texts)


def _origin(document: Outline, restored: Mapping[str, PostState]) -> Any:
    """What an exported post was, as if its row stood here still."""
    state = restored.get(document.name)
    if state is None:
        return None
    return SimpleNamespace(
        sha256=document.sha256,
        published_at=document.date,
        ingested_at=state.ingested_at,
        updated_at=state.updated_at,
    )


def _result(action: Action, row: Any, *, changed: tuple[str, ...] = (), warnings: tuple[Finding, ...] = ()) -> Result:
    return Result(
        name=row.source_name,
        action=action,
        post=stored_of(row),
        sha256=row.sha256,
        changed=changed,
        warnings=warnings,
    )


def history_of(action: Action, row: Any, sha256: str | None, options: Options) -> dict[str, Any]:
    """One change as the history keeps it; the turn adds the version and the instant."""
    return {
        "post_id": row.id,
        "source_name": row.source_name,
        "kind": action,
        "author": options.author,
        "via": options.via,
        "sha256": sha256,
    }
