import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from app.documents.archives import in_tar, in_zip
from app.documents.sources import (
    Entry,
    Limits,
    Source,
    entry,
    gather,
    in_folder,
)
from app.errors import SourceError, TooLarge

FREE = Limits()


def entries(files: dict[str, bytes]) -> Iterator[Entry]:
    return (entry(name, content) for name, content in files.items())


def test_what_cannot_be_taken_is_refused_alone() -> None:
    batch = gather(
        [*entries({"a.md": b"x", "../b.md": b"x", "c.md": b"12345", "d.png": b""}), *entries({"./a.md": b"y"})],
        limits=Limits(file_bytes=4),
    )

    assert [source.name for source in batch.sources] == ["a.md"]
    assert batch.skipped == ["d.png"]
    assert [(name, finding.code) for name, finding in batch.refused] == [
        ("../b.md", "invalid_name"),
        ("a.md", "duplicate_name"),
        ("c.md", "file_too_large"),
    ]


@pytest.mark.parametrize("limits", [Limits(files=2), Limits(total_bytes=5)])
def test_too_much_in_all_is_refused_whole(limits: Limits) -> None:
    with pytest.raises(TooLarge):
        gather(entries({"a.md": b"123", "b.md": b"456", "c.md": b""}), limits=limits)


def zipped(files: dict[str, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return io.BytesIO(file.getvalue())


def tarred(files: dict[str, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("link.md")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return io.BytesIO(file.getvalue())


@pytest.mark.parametrize(("pack", "unpack"), [(zipped, in_zip), (tarred, in_tar)])
def test_archives_give_their_regular_files(
    pack: Callable[[dict[str, bytes]], io.BytesIO], unpack: Callable[[io.BytesIO, Limits], Iterator[Entry]]
) -> None:
    files = {"_posts/記事.md": "本文".encode(), "x.png": b"\x89", "_posts/b.md": b"b"}
    batch = gather(unpack(pack(files), FREE), limits=FREE)

    assert {source.name: source.content for source in batch.sources} == {
        "_posts/記事.md": "本文".encode(),
        "_posts/b.md": b"b",
    }
    assert batch.skipped == ["x.png", *(["link.md"] if unpack is in_tar else [])]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04rest", gzip.compress(b"", mtime=0)[:5]])
def test_what_is_no_archive_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        list(in_zip(io.BytesIO(content), FREE))

    assert caught.value.reason == "malformed_archive"


def test_damaged_member_is_said_to_be_damaged() -> None:
    raw = bytearray(zipped({"a.md": b"x" * 1000}).getvalue())
    raw[40] ^= 0xFF

    with pytest.raises(SourceError) as caught:
        gather(in_zip(io.BytesIO(bytes(raw)), FREE), limits=FREE)

    assert caught.value.reason == "malformed_archive"


def test_archive_that_unpacks_to_too_much_is_refused() -> None:
    with pytest.raises(TooLarge):
        list(in_tar(tarred({"a.bin": b"\0" * 100_000}), Limits(total_bytes=1000)))


def test_large_member_of_a_zip_is_read_no_further_than_the_limit() -> None:
    batch = gather(in_zip(zipped({"a.md": b"x" * 1_000_000}), FREE), limits=Limits(file_bytes=10))

    assert [finding.code for _, finding in batch.refused] == ["file_too_large"]


def test_links_that_lead_out_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret")
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "a.md").write_text("a")
    (folder / "b.md").symlink_to(tmp_path / "secret.md")

    assert [entry.name for entry in in_folder(folder)] == ["a.md"]


def test_names_in_a_folder_are_relative_to_the_base(tmp_path: Path) -> None:
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog" / "a.md").write_text("a")

    assert [entry.name for entry in in_folder(tmp_path / "blog", tmp_path)] == ["blog/a.md"]


def zip_with_raw_names(names: list[bytes]) -> io.BytesIO:
    """A zip without the flag for UTF-8: as macOS and older archivers for Windows write names."""
    raw = zipped({"n" * (len(name) - 3) + f"{index:02}x": b"x" for index, name in enumerate(names)}).getvalue()
    for index, name in enumerate(names):
        raw = raw.replace(f"{'n' * (len(name) - 3)}{index:02}x".encode(), name)
    return io.BytesIO(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("記事/朝の風.md".encode(), "記事/朝の風.md"),
        ("か\u3099.md".encode(), "が.md"),
        ("記事/朝の表.md".encode("cp932"), "記事/朝の表.md"),
        ("記事\\①表.md".encode("cp932"), "記事/①表.md"),
        (b"posts\\kiji.md", "posts/kiji.md"),
        (b"\xfd\xfd.md", "²².md"),  # neither: what the format's own CP437 has
    ],
)
def test_names_in_a_zip_are_read_in_the_encoding_they_were_written_in(raw: bytes, name: str) -> None:
    batch = gather(in_zip(zip_with_raw_names([raw]), FREE), limits=FREE)

    assert [source.name for source in batch.sources] == [name]


def test_archive_of_a_mac_brings_its_posts_alone() -> None:
    names = ["_posts/か\u3099.md".encode(), "__MACOSX/_posts/._が.md".encode(), b"_posts/._a.md", b"_posts/.DS_Store"]
    batch = gather(in_zip(zip_with_raw_names(names), FREE), limits=FREE)

    assert [source.name for source in batch.sources] == ["_posts/が.md"]
    assert len(batch.skipped) == 3


def test_one_name_in_two_unicode_forms_is_there_twice() -> None:
    batch = gather(in_zip(zip_with_raw_names(["か\u3099.md".encode(), "が.md".encode()]), FREE), limits=FREE)

    assert [finding.code for _, finding in batch.refused] == ["duplicate_name"]


@pytest.mark.parametrize("read", [in_zip, in_tar])
def test_configurations_are_kept_apart_from_posts(read: Callable[[IO[bytes], Limits], Iterator[Entry]]) -> None:
    files = {"_posts/a.md": b"1", "_config.yml": b"2", "vendor/x/_config.yml": b"3", "blog/_config.yml": b"4"}
    archive = zipped(files) if read is in_zip else tarred(files)
    batch = gather(read(archive, Limits()), limits=Limits(), prefix="p/")

    assert [(file.name, file.content) for file in batch.configs] == [
        ("p/_config.yml", b"2"),
        ("p/blog/_config.yml", b"4"),
    ]
    assert [file.name for file in batch.sources] == ["p/_posts/a.md"]
    assert batch.skipped[0] == "p/vendor/x/_config.yml"


def test_configuration_that_is_too_large_is_refused() -> None:
    batch = gather(entries({"_config.yml": b"title: long"}), limits=Limits(file_bytes=5))

    assert [(name, finding.code) for name, finding in batch.refused] == [("_config.yml", "file_too_large")]


def test_files_of_a_folder_are_known_by_hash_and_read_again_where_they_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"one")
    (source,) = gather(in_folder(tmp_path), limits=FREE).sources
    (tmp_path / "a.md").write_bytes(b"other")

    assert (source.sha256, source.size) == (hashlib.sha256(b"one").hexdigest(), 3)
    assert source.content == b"other"
    assert source.whole() == Source(name="a.md", content=b"other")
    assert source.whole().sha256 == hashlib.sha256(b"other").hexdigest()
