"""Sources in, results out: what an upload does to what is stored."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, ClassVar

import pytest
from sqlalchemy import Connection, Engine

from app.database import open_engine, reading
from app.documents.document import Context
from app.documents.sources import Batch, Source
from app.errors import Conflict, Finding, NotFound, PreconditionFailed
from app.posts.ingest import delete_one, ingest
from app.posts.report import Report
from app.posts.store import former_holder
from tests.building import NOW, markdown
from tests.posts.samples import actions, batch, codes, found, history, options, rows, slugs, state, take

BROKEN = "---\ntitle: [\n---\n"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def moved_from(engine: Engine, slug: str) -> str | None:
    with reading(engine) as connection:
        return former_holder(connection, slug)


class TestUnchanged:
    def test_second_upload_of_the_same_writes_nothing(self, engine: Engine) -> None:
        files = {f"{n}.md": markdown(title=f"記事{n}", tags=["AI"]) for n in range(5)}
        take(engine, files)
        before = (rows(engine), history(engine), state(engine))

        report = take(engine, files, now=NOW + timedelta(days=1))

        assert set(actions(report).values()) == {"unchanged"}
        assert (rows(engine), history(engine)) == before[:2]
        assert report.version == before[2].label == state(engine).label

    def test_unchanged_file_beside_a_changed_one_is_not_written(self, engine: Engine) -> None:
        take(engine, {"a.md": "一", "b.md": "二"})

        report = take(engine, {"a.md": "一", "b.md": "二の二"})

        assert actions(report) == {"a.md": "unchanged", "b.md": "updated"}
        assert history(engine)[2:] == [(2, "updated", "b.md")]

    @pytest.mark.parametrize(
        "context",
        [
            Context(timezone="Asia/Tokyo"),
            Context(lang="ja"),
            Context(asset_url="https://x.jp"),
            Context(embed_hosts=("x.jp",)),
        ],
    )
    def test_other_context_is_a_reason_to_read_again(self, engine: Engine, context: Context) -> None:
        take(engine, {"a.md": markdown(date="2025-12-01")})

        report = take(engine, {"a.md": markdown(date="2025-12-01")}, context=context)

        assert actions(report) == {"a.md": "updated"}
        assert rows(engine)["a.md"].rendered_by == context.rendered_by

    def test_file_that_another_writer_stored_meanwhile_is_unchanged(self, engine: Engine) -> None:
        asked = []

        def store_first(_: Connection) -> None:
            asked.append(1)
            if len(asked) == 1:
                take(second, {"a.md": "本文"})

        second = open_engine(str(engine.url)) if engine.dialect.name == "sqlite" else engine
        guard: Callable[[Connection], None] = store_first
        report = ingest(engine, batch({"a.md": "本文"}), context=Context(), options=options(), now=NOW, guard=guard)

        assert actions(report) == {"a.md": "unchanged"}
        assert history(engine) == [(1, "created", "a.md")]


class TestAtomic:
    FILES: ClassVar = {"a.md": markdown(title="よい"), "b.md": BROKEN}

    def test_one_failure_leaves_nothing(self, engine: Engine) -> None:
        report = take(engine, self.FILES)

        assert actions(report) == {"b.md": "failed", "a.md": "skipped"}
        assert codes(report)["a.md"] == ["left_out"]
        assert (rows(engine), history(engine)) == ({}, [])
        assert (report.committed, report.version) == (False, state(engine).label)

    def test_not_atomic_takes_what_can_be_taken(self, engine: Engine) -> None:
        report = take(engine, self.FILES, atomic=False)

        assert actions(report) == {"b.md": "failed", "a.md": "created"}
        assert list(rows(engine)) == ["a.md"]
        assert report.committed

    def test_refused_file_fails_an_atomic_upload(self, engine: Engine) -> None:
        refused = [("big.md", Finding(code="file_too_large", detail="too large"))]
        good = Source(name="a.md", content="よい".encode())

        report = self.ingest(engine, Batch(sources=[good], refused=refused, skipped=["README.md"]))

        assert actions(report) == {"big.md": "failed", "README.md": "skipped", "a.md": "skipped"}
        assert rows(engine) == {}

    def test_refused_file_beside_unchanged_ones_is_no_success(self, engine: Engine) -> None:
        take(engine, {"a.md": "よい"})
        refused = [("big.md", Finding(code="file_too_large", detail="too large"))]
        good = Source(name="a.md", content="よい".encode())

        report = self.ingest(engine, Batch(sources=[good], refused=refused))

        assert actions(report) == {"big.md": "failed", "a.md": "unchanged"}
        assert not report.committed

    def ingest(self, engine: Engine, sent: Batch) -> Report:
        return ingest(engine, sent, context=Context(), options=options(), now=NOW)

    def test_dry_run_says_what_a_real_one_does_and_keeps_nothing(self, engine: Engine) -> None:
        take(engine, {"a.md": "一", "b.md": "二"})
        before = (rows(engine), history(engine), state(engine))
        files = {"a.md": "一の二", "c.md": "三"}

        dry = take(engine, files, dry_run=True, prune_below="")

        assert (rows(engine), history(engine), state(engine)) == before
        assert not dry.committed
        assert dry.results == take(engine, files, prune_below="").results

    def test_counts_are_of_every_action(self, engine: Engine) -> None:
        report = take(engine, self.FILES, atomic=False)

        assert report.has_failures
        assert report.counts == {
            "created": 1, "updated": 0, "unchanged": 0, "renamed": 0, "deleted": 0, "skipped": 0, "failed": 1,
        }  # fmt: skip


class TestGuard:
    def test_guard_is_asked_before_parsing_and_again_in_the_transaction(self, engine: Engine) -> None:
        heard: list[str] = []
        ingest(
            engine,
            batch({"a.md": "本文"}),
            context=Context(),
            options=options(),
            now=NOW,
            guard=lambda _: heard.append("guard"),
            on_parsed=heard.append,
            on_result=lambda result: heard.append(result.action),
        )

        assert heard == ["guard", "a.md", "guard", "created"]

    def test_refusal_inside_the_transaction_leaves_nothing(self, engine: Engine) -> None:
        asked: list[int] = []

        def refuse_second(_: Connection) -> None:
            asked.append(1)
            if len(asked) == 2:
                raise PreconditionFailed("changed meanwhile")

        with pytest.raises(PreconditionFailed):
            ingest(engine, batch({"a.md": "本文"}), context=Context(), options=options(), now=NOW, guard=refuse_second)

        assert rows(engine) == {}


class TestTimes:
    def test_undated_post_is_published_when_first_ingested(self, engine: Engine) -> None:
        take(engine, {"a.md": "一"}, now=NOW.replace(microsecond=123456))
        take(engine, {"a.md": "二"}, now=NOW + timedelta(days=3))

        assert rows(engine)["a.md"].published_at == NOW
        assert rows(engine)["a.md"].ingested_at == NOW

    def test_draft_without_a_date_has_none(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(draft=True)})

        assert rows(engine)["a.md"].published_at is None

    LATER = NOW + timedelta(days=3)
    DATE = datetime(2025, 12, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            (markdown(date="2025-12-01"), None, DATE),
            (markdown(date="2025-12-01"), markdown("改めた。", date="2025-12-01"), LATER),
            (markdown(date="2025-12-01"), markdown(date="2025-12-02"), LATER),
            (markdown(date="2025-12-01", updated="2025-12-05"), None, datetime(2025, 12, 5, tzinfo=UTC)),
            (markdown("a"), markdown("b", updated="2025-12-05"), datetime(2025, 12, 5, tzinfo=UTC)),
            ("一", None, NOW),
            (markdown(draft=True), None, NOW),
        ],
        ids=[
            "as published",
            "body changed",
            "date changed",
            "author's word",
            "author's later word",
            "undated",
            "draft",
        ],
    )
    def test_updated_at_is_published_at_until_the_content_changes(
        self, engine: Engine, first: str, second: str | None, expected: datetime
    ) -> None:
        take(engine, {"a.md": first})
        if second is not None:
            take(engine, {"a.md": second}, now=self.LATER)

        assert rows(engine)["a.md"].updated_at == expected

    def test_reading_again_in_another_zone_is_no_update_of_the_content(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(date="2025-12-01")})
        take(engine, {"a.md": markdown(date="2025-12-01")}, now=self.LATER, context=Context(timezone="Asia/Tokyo"))

        assert rows(engine)["a.md"].updated_at == rows(engine)["a.md"].published_at == self.DATE - timedelta(hours=9)

    def test_reading_again_keeps_when_the_content_changed(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown("a", date="2025-12-01")})
        take(engine, {"a.md": markdown("b", date="2025-12-01")}, now=self.LATER)
        again = self.LATER + timedelta(days=1)
        take(engine, {"a.md": markdown("b", date="2025-12-01")}, now=again, context=Context(timezone="Asia/Tokyo"))

        assert rows(engine)["a.md"].updated_at == self.LATER

    def test_draft_that_moves_to_posts_is_updated_when_it_is_published(self, engine: Engine) -> None:
        take(engine, {"_drafts/kiji.md": "本文"})
        take(engine, {"_posts/2025-12-24-kiji.md": "本文"}, now=self.LATER, prune_below="")

        row = rows(engine)["_posts/2025-12-24-kiji.md"]
        assert row.updated_at == row.published_at == datetime(2025, 12, 24, tzinfo=UTC)


class TestSlugs:
    def test_slugs_do_not_depend_on_the_order_of_files(self, engine: Engine) -> None:
        files = {f"{folder}/kiji.md": markdown(date=f"2025-0{n}-01") for n, folder in enumerate("cab", start=1)}
        take(engine, dict(reversed(files.items())))

        assert slugs(engine) == {
            "a/kiji.md": "kiji-2025-02-01", "b/kiji.md": "kiji-2025-03-01", "c/kiji.md": "kiji",
        }  # fmt: skip

    def test_slug_once_held_never_changes_because_another_file_arrives(self, engine: Engine) -> None:
        take(engine, {"z/kiji.md": markdown(date="2025-12-01")})
        report = take(
            engine, {"a/kiji.md": markdown(date="2001-01-01"), "z/kiji.md": markdown("改", date="2025-12-01")}
        )

        assert slugs(engine) == {"z/kiji.md": "kiji", "a/kiji.md": "kiji-2001-01-01"}
        assert codes(report) == {"a/kiji.md": ["title_derived", "slug_taken"], "z/kiji.md": ["title_derived"]}

    def test_changed_slug_leaves_the_old_one_behind(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(slug="furui")})
        take(engine, {"a.md": markdown(slug="atarashii")})

        assert slugs(engine) == {"a.md": "atarashii"}
        assert moved_from(engine, "furui") == "atarashii"
        assert moved_from(engine, "atarashii") is None

    def test_two_posts_exchange_their_slugs(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(slug="x"), "b.md": markdown(slug="y")})
        report = take(engine, {"a.md": markdown(slug="y"), "b.md": markdown(slug="x")})

        assert slugs(engine) == {"a.md": "y", "b.md": "x"}
        assert codes(report).get("a.md") == ["title_derived"]
        assert (moved_from(engine, "x"), moved_from(engine, "y")) == ("y", "x")

    def test_slug_freed_in_an_upload_can_be_taken_in_it(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(slug="x"), "b.md": markdown(slug="b")})
        take(engine, {"a.md": markdown(slug="z"), "new.md": markdown(slug="x"), "b.md": markdown("改", slug="b")})

        assert slugs(engine) == {"a.md": "z", "new.md": "x", "b.md": "b"}

    def test_slug_of_a_pruned_post_is_free_in_the_same_upload(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(slug="x")})
        take(engine, {"b.md": markdown(slug="x")}, prune_below="")

        assert slugs(engine) == {"b.md": "x"}

    def test_newest_holder_of_a_former_slug_answers_for_it(self, engine: Engine) -> None:
        for slug_a, slug_b in (("x", "b1"), ("a2", "x"), ("a2", "b3")):
            take(engine, {"a.md": markdown(slug=slug_a), "b.md": markdown(slug=slug_b)})

        assert moved_from(engine, "x") == "b3"

    def test_slug_that_never_was_is_nobodys(self, engine: Engine) -> None:
        assert moved_from(engine, "x") is None

    def test_slug_of_the_address_wins_over_the_name(self, engine: Engine) -> None:
        take(engine, {"name.md": "本文"}, slug="address")

        assert slugs(engine) == {"name.md": "address"}

    def test_other_slug_inside_than_in_the_address_fails(self, engine: Engine) -> None:
        report = take(engine, {"a.md": markdown(slug="inside")}, slug="address")

        assert codes(report) == {"a.md": ["slug_mismatch"]}
        assert rows(engine) == {}

    def test_slug_of_the_address_that_was_taken_meanwhile_is_a_conflict(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(slug="x")})

        with pytest.raises(Conflict) as caught:
            take(engine, {"x.md": "本文"}, slug="x")

        assert caught.value.reason == "slug_taken"
        assert slugs(engine) == {"a.md": "x"}


class TestPrune:
    def fill(self, engine: Engine, number: int) -> dict[str, str]:
        files = {f"blog/{n:02}.md": f"記事{n}" for n in range(number)}
        take(engine, files)
        return files

    def test_posts_under_the_prefix_that_were_not_sent_go(self, engine: Engine) -> None:
        take(engine, {"a/x.md": "一", "a/y.md": "二", "b/x.md": "三"})
        report = take(engine, {"a/x.md": "一"}, prune_below="a/")

        assert actions(report) == {"a/x.md": "unchanged", "a/y.md": "deleted"}
        assert sorted(rows(engine)) == ["a/x.md", "b/x.md"]

    def test_file_that_failed_is_never_pruned(self, engine: Engine) -> None:
        take(engine, {"a.md": "一", "b.md": "二"})
        report = take(engine, {"a.md": BROKEN}, prune_below="", atomic=False)

        assert actions(report) == {"a.md": "failed", "b.md": "deleted"}
        assert list(rows(engine)) == ["a.md"]

    def test_file_that_moved_and_failed_is_not_pruned_under_its_old_name(self, engine: Engine) -> None:
        take(engine, {"_drafts/kiji.md": "一"})
        take(engine, {"_posts/2025-12-24-kiji.md": BROKEN}, prune_below="", atomic=False)

        assert list(rows(engine)) == ["_drafts/kiji.md"]

    def test_refused_and_skipped_files_are_not_pruned(self, engine: Engine) -> None:
        take(engine, {"a.md": "一", "b.md": "二", "c.md": "三"})
        sent = Batch(skipped=["a.md"], refused=[("b.md", Finding(code="file_too_large", detail="too large"))])
        ingest(engine, sent, context=Context(), options=options(prune_below="", atomic=False), now=NOW)

        assert sorted(rows(engine)) == ["a.md", "b.md"]

    def test_too_large_a_prune_is_refused_and_keeps_everything(self, engine: Engine) -> None:
        files = self.fill(engine, 10)
        kept = dict(list(files.items())[:7])

        with pytest.raises(Conflict):
            take(engine, kept, prune_below="blog/")

        assert sorted(rows(engine)) == sorted(files)
        take(engine, kept, prune_below="blog/", prune_max=3)
        assert sorted(rows(engine)) == sorted(kept)

    def test_manifest_spares_what_the_service_has(self, engine: Engine) -> None:
        files = self.fill(engine, 3)
        manifest = {name: sha256(text) for name, text in list(files.items())[:2]}

        report = take(engine, {"blog/new.md": "新"}, prune_below="blog/", manifest=manifest)

        assert actions(report) == {"blog/new.md": "created", "blog/02.md": "deleted"}

    def test_manifest_of_other_bytes_fails_and_spares_the_post(self, engine: Engine) -> None:
        self.fill(engine, 1)

        report = take(engine, {}, prune_below="blog/", manifest={"blog/00.md": "0" * 64}, atomic=False)

        assert codes(report) == {"blog/00.md": ["not_stored"]}
        assert list(rows(engine)) == ["blog/00.md"]

    def test_manifest_may_name_what_is_sent(self, engine: Engine) -> None:
        self.fill(engine, 1)
        manifest = {"blog/00.md": sha256("改めた"), "blog/01.md": sha256("新")}

        report = take(engine, {"blog/00.md": "改めた", "blog/01.md": "新"}, prune_below="blog/", manifest=manifest)

        assert actions(report) == {"blog/00.md": "updated", "blog/01.md": "created"}


class TestRenames:
    def test_moved_file_keeps_id_slug_and_first_ingestion(self, engine: Engine) -> None:
        take(engine, {"_drafts/kiji.md": markdown(slug="x")})
        before = rows(engine)["_drafts/kiji.md"]
        later = NOW + timedelta(days=1)
        report = take(engine, {"_posts/2025-12-24-kiji.md": markdown("改", slug="x")}, now=later, prune_below="")
        (after,) = rows(engine).values()

        assert actions(report) == {"_posts/2025-12-24-kiji.md": "renamed"}
        assert (after.id, after.slug, after.ingested_at) == (before.id, before.slug, before.ingested_at)
        assert history(engine)[-1] == (2, "renamed", "_posts/2025-12-24-kiji.md")

    def test_new_file_at_a_renamed_ones_old_name_has_an_id_of_its_own(self, engine: Engine) -> None:
        take(engine, {"a.md": "一"})
        take(engine, {"b.md": "一"}, prune_below="")
        take(engine, {"a.md": "別"})
        take(engine, {"c.md": "別", "b.md": "一"}, prune_below="")
        take(engine, {"a.md": "また別"})

        assert len({row.id for row in rows(engine).values()}) == 3
        assert slugs(engine) == {"b.md": "a", "c.md": "a-2", "a.md": "a-3"}

    def test_without_prune_nothing_is_renamed(self, engine: Engine) -> None:
        take(engine, {"a.md": "一"})

        assert actions(take(engine, {"b.md": "一"})) == {"b.md": "created"}

    def test_renames_do_not_count_as_pruned(self, engine: Engine) -> None:
        files = {f"{n:02}.md": f"記事{n}" for n in range(20)}
        take(engine, files)

        report = take(engine, {f"moved/{name}": text for name, text in files.items()}, prune_below="")

        assert report.counts["renamed"] == 20

    def test_id_is_of_the_name_alone(self, engine: Engine) -> None:
        take(engine, {"a.md": "一"})
        first = rows(engine)["a.md"].id
        delete_one(engine, "a", options=options(), now=NOW, guard=lambda _: None)
        take(engine, {"a.md": "二"})

        assert rows(engine)["a.md"].id == first


class TestDelete:
    def test_deleted_post_is_gone_and_in_the_history(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(slug="x", tags=["AI"])})

        label = delete_one(engine, "x", options=options(), now=NOW, guard=lambda _: None)

        assert found(engine, tag="AI") == []
        assert history(engine)[-1] == (2, "deleted", "a.md")
        assert label == state(engine).label

    def test_post_that_is_not_there_cannot_be_deleted(self, engine: Engine) -> None:
        with pytest.raises(NotFound):
            delete_one(engine, "x", options=options(), now=NOW, guard=lambda _: None)

    def test_former_slug_of_a_deleted_post_leads_nowhere(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(slug="x")})
        take(engine, {"a.md": markdown(slug="y")})
        delete_one(engine, "y", options=options(), now=NOW, guard=lambda _: None)

        assert moved_from(engine, "x") is None


class TestTwoWriters:
    def race(self, database_url: str, uploads: list[list[dict[str, str]]], **given: Any) -> list[list[Report]]:
        """Each list of uploads in a thread with an engine of its own, all at once."""
        barrier = Barrier(len(uploads))

        def write(files: list[dict[str, str]]) -> list[Report]:
            engine = open_engine(database_url)
            barrier.wait()
            try:
                return [take(engine, upload, **given) for upload in files]
            finally:
                engine.dispose()

        with ThreadPoolExecutor(len(uploads)) as pool:
            return list(pool.map(write, uploads))

    def test_same_slugs_go_to_one_post_each(self, engine: Engine, database_url: str) -> None:
        uploads = [[{f"{writer}/{n}.md": markdown(slug=f"s{n}")} for n in range(10)] for writer in "ab"]
        self.race(database_url, uploads)

        held = slugs(engine)
        assert len(held) == 20
        assert sorted(held.values()) == sorted([f"s{n}" for n in range(10)] + [f"s{n}-2" for n in range(10)])

    def test_same_names_are_created_once(self, engine: Engine, database_url: str) -> None:
        files = [{f"{n}.md": f"記事{n}"} for n in range(10)]
        reports = self.race(database_url, [files, files])

        outcomes = [action for writer in reports for report in writer for action in actions(report).values()]
        assert sorted(outcomes) == ["created"] * 10 + ["unchanged"] * 10
        assert [kind for _, kind, _ in history(engine)] == ["created"] * 10

    def test_versions_follow_one_another(self, engine: Engine, database_url: str) -> None:
        self.race(database_url, [[{"same.md": f"{writer} {n}"} for n in range(8)] for writer in range(3)])

        changes = history(engine)
        assert [version for version, _, _ in changes] == list(range(1, 25))
        assert [kind for _, kind, _ in changes] == ["created"] + ["updated"] * 23
        assert len(rows(engine)) == 1
