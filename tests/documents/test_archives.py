"""Hostile archives: each is refused for what it is, and none is believed."""

import io
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents.archives import in_tar, in_zip
from app.documents.sources import Batch, Entry, Limits, gather
from app.documents.tar import MAX_HEADER
from app.errors import SourceError, TooLarge

LIMITS = Limits(file_bytes=1000, total_bytes=10_000, files=10)


def zip_of(*names: str, method: int = zipfile.ZIP_DEFLATED, attributes: int = 0) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            member = zipfile.ZipInfo(name)
            member.external_attr, member.compress_type = attributes, method
            archive.writestr(member, b"text " * 10)
    return bytearray(file.getvalue())


def from_zip(raw: bytes | bytearray) -> Batch:
    return gather(in_zip(io.BytesIO(bytes(raw)), LIMITS), limits=LIMITS)


def refusals(batch: Batch) -> list[tuple[str, str]]:
    return [(name, finding.code) for name, finding in batch.refused]


def test_zip_with_too_many_entries_is_refused_by_what_it_says() -> None:
    with pytest.raises(TooLarge):
        from_zip(zip_of(*(f"{number}.txt" for number in range(41))))


def test_zip_with_more_entries_than_it_says_is_refused() -> None:
    raw = zip_of(*(f"{number}.txt" for number in range(41)))
    end = raw.rfind(b"PK\5\6")
    raw[end + 8 : end + 12] = struct.pack("<2H", 1, 1)

    with pytest.raises(TooLarge):
        from_zip(raw)


def test_zip_64_says_its_entries_in_another_place() -> None:
    raw = zip_of("a.md")
    end = raw.rfind(b"PK\5\6")
    size, offset = struct.unpack_from("<2L", raw, end + 12)
    end_64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    ending = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    huge = end_64[:24] + struct.pack("<2Q", 10**9, 10**9) + end_64[40:]

    assert [source.name for source in from_zip(raw[:end] + end_64 + locator + ending).sources] == ["a.md"]
    with pytest.raises(TooLarge):
        from_zip(raw[:end] + huge + locator + ending)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_cannot_be_bounded_is_refused(method: int) -> None:
    assert refusals(from_zip(zip_of("a.md", "b.png", method=method))) == [("a.md", "malformed_archive")]


def test_encrypted_file_is_refused() -> None:
    raw = zip_of("a.md")
    raw[raw.find(b"PK\1\2") + 8] |= 1

    assert refusals(from_zip(raw)) == [("a.md", "malformed_archive")]


def test_overlapping_files_are_refused() -> None:
    raw = zip_of("a.md", "b.md")
    second = raw.rfind(b"PK\1\2")
    raw[second + 42 : second + 46] = struct.pack("<L", 0)

    with pytest.raises(SourceError):
        from_zip(raw)


@pytest.mark.parametrize("offset", [20, 24])  # the compressed size and the size of an entry
def test_forged_sizes_bring_no_more_than_there_is(offset: int) -> None:
    raw = zip_of("a.md")
    entry = raw.find(b"PK\1\2")
    raw[entry + offset : entry + offset + 4] = struct.pack("<L", 2**31)

    with suppress(SourceError):
        assert all(len(source.content) <= 1000 for source in from_zip(raw).sources)


@pytest.mark.parametrize("kind", [0o120000, 0o020000, 0o060000, 0o010000])
def test_link_or_device_in_a_zip_is_refused_where_a_post_would_be(kind: int) -> None:
    batch = from_zip(zip_of("a.md", "b.txt", attributes=kind << 16))

    assert refusals(batch) == [("a.md", "not_a_file")]
    assert batch.skipped == ["b.txt"]


@pytest.mark.parametrize(
    "name",
    ["/etc/a.md", "../a.md", "a/../../b.md", "C:/a.md", "C:a.md", "c:\\a.md", "..\\a.md", "\\\\host\\a.md", "a\0.md"],
)
def test_name_that_leads_elsewhere_is_refused(name: str) -> None:
    placeholder = "n" * len(name)
    raw = bytes(zip_of(placeholder)).replace(placeholder.encode(), name.encode())

    assert [finding.code for _, finding in from_zip(raw).refused] == ["invalid_name"]


def tar_of(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytearray:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return bytearray(file.getvalue())


def from_tar(raw: bytes | bytearray) -> Batch:
    return gather(in_tar(io.BytesIO(bytes(raw)), LIMITS), limits=LIMITS)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar_is_read(form: int) -> None:
    long = f"{'ながい' * 8}/{'a' * 90}.md"
    names = ["a.md", "日本語.md", f"{'d' * 60}/{'e' * 60}.md"] + ([long] if form != tarfile.USTAR_FORMAT else [])
    raw = tar_of(*((tarfile.TarInfo(name), name.encode() * 3) for name in names), form=form)

    assert {source.name: source.content for source in from_tar(raw).sources} == {n: n.encode() * 3 for n in names}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_link_or_device_in_a_tar_is_refused_where_a_post_would_be(kind: bytes) -> None:
    link = tarfile.TarInfo("a.md")
    link.type, link.linkname = kind, "/etc/passwd"
    batch = from_tar(tar_of((link, b""), (tarfile.TarInfo("b.md"), b"b")))

    assert refusals(batch) == [("a.md", "not_a_file")]
    assert [source.name for source in batch.sources] == ["b.md"]


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_header_of_any_size_is_not_read(kind: bytes) -> None:
    member = tarfile.TarInfo("a.md")
    member.type = kind

    with pytest.raises(TooLarge) as caught:
        from_tar(tar_of((member, b"x" * (MAX_HEADER + 1))))
    assert caught.value.reason == "upload_too_large"


@pytest.mark.parametrize(
    "record", [b"9" * 30_000, b"12 size=-99\n", b"999 path=a\n", b"4 a\n", b"20 size=1e9999999999\n"]
)
def test_pax_record_that_makes_no_sense_is_refused(record: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type = b"x"

    with pytest.raises(SourceError):
        from_tar(tar_of((header, record), (tarfile.TarInfo("a.md"), b"a")))


@pytest.mark.parametrize("size", [b"\xff" * 12, b"-0000000001\0", b"+0000000001\0", b"99999999999\0"])
def test_size_that_is_none_is_refused(size: bytes) -> None:
    raw = tar_of((tarfile.TarInfo("a.md"), b"a"))
    raw[124:136] = size
    raw[148:156] = b"%06o\0 " % (sum(raw[:148]) + 256 + sum(raw[156:512]))

    with pytest.raises(SourceError):
        from_tar(raw)


def test_damaged_or_cut_off_tar_is_refused_whole() -> None:
    raw = tar_of((tarfile.TarInfo("a.md"), b"a" * 600), (tarfile.TarInfo("b.md"), b"b"))
    damaged = bytes(raw[:1536]) + b"X" + bytes(raw[1537:])

    for broken in (raw[:100], raw[:700], raw[:1700], damaged):
        with pytest.raises(SourceError):
            from_tar(broken)


def test_sparse_file_is_refused() -> None:
    raw = tar_of((tarfile.TarInfo("a.md"), b"a"))
    raw[156:157] = b"S"
    raw[148:156] = b"%06o\0 " % (sum(raw[:148]) + 256 + sum(raw[156:512]))

    assert refusals(from_tar(raw)) == [("a.md", "not_a_file")]


def test_tar_is_counted_by_what_it_unpacks_to() -> None:
    with pytest.raises(TooLarge):
        from_tar(tar_of(*((tarfile.TarInfo(f"{number}.md"), b"x" * 999) for number in range(11))))
    with pytest.raises(TooLarge):
        from_tar(tar_of((tarfile.TarInfo("a.bin"), b"x" * 80_001)))


NAMES = st.one_of(
    st.sampled_from(
        ("a.md", "b/a.md", "_posts/2025-01-01-あ.md", "か\u3099.md", "../a.md", "/a.md", "C:/a.md", "a\\b.md")
    ),
    st.sampled_from(
        ("a.txt", "d/", "_config.yml", "README.md", f"{'n/' * 200}a.md", f"{'n' * 1100}.md", "a.md/", "...md")
    ),
    st.text(max_size=9).map(lambda text: text.encode("utf-8", "ignore").decode().replace("\0", "") + ".md"),
)
FILES = st.lists(st.tuples(NAMES, st.binary(max_size=40) | st.just(b"x" * 900)), max_size=5)


class Unseekable(io.BytesIO):
    """What an archiver writes to that cannot go back: sizes come behind the content."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    file = draw(st.sampled_from((io.BytesIO, Unseekable)))()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", draw(st.sampled_from((0, 8, 12)))) as archive:
        warnings.simplefilter("ignore")  # a name that is there twice
        for name, content in draw(FILES):
            with archive.open(zipfile.ZipInfo(name or "a"), "w", force_zip64=draw(st.booleans())) as member:
                member.write(content)
        archive.comment = draw(st.sampled_from((b"", b"PK\5\6", b"x" * 300)))
    return file.getvalue()


@st.composite
def tars(draw: st.DrawFn) -> bytes:
    members = []
    for name, content in draw(FILES):
        member = tarfile.TarInfo(name)
        member.type = draw(st.sampled_from((b"0", b"0", b"0", b"5", b"2", b"7", b"x", b"L", b"S", b"g")))
        member.pax_headers = draw(st.sampled_from(({}, {"comment": "x" * 700}, {"path": "c.md"})))
        members.append((member, content))
    return bytes(tar_of(*members, form=draw(st.sampled_from((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)))))


@st.composite
def damaged(draw: st.DrawFn, archives: st.SearchStrategy[bytes]) -> bytes:
    """Bytes changed, a piece put elsewhere, an end cut off; or nothing of it."""
    raw = bytearray(draw(archives))
    place = st.integers(0, len(raw))
    for at, value in draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=6)):
        raw[at : at + 1] = bytes((value,))
    if draw(st.booleans()):
        start, end, at = draw(place), draw(place), draw(place)
        raw[at:at] = raw[start : min(end, start + 600)]
    return bytes(raw[: draw(place)] if draw(st.booleans()) else raw)


def checksummed(raw: bytes) -> bytes:
    """A tar whose headers have the sums that belong to them, so that what is damaged in them is believed."""
    blocks = [bytearray(raw[at : at + 512]) for at in range(0, len(raw), 512)]
    for block in blocks:
        if block[257:262] == b"ustar":
            block[148:156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))
    return b"".join(blocks)


def read_or_refused(read: Callable[[bytes], Batch], raw: bytes) -> None:
    with suppress(SourceError):
        batch = read(raw)
        sources = [*batch.sources, *batch.configs]
        names = [source.name for source in sources]

        assert len(set(names)) == len(names)
        assert all(".." not in name.split("/") and not name.startswith("/") for name in names)
        assert sum(len(source.content) for source in sources) <= (LIMITS.total_bytes or 0)


@settings(max_examples=60, deadline=None)
@given(damaged(zips()), damaged(tars()))
def test_no_archive_raises_what_is_not_ours(zipped: bytes, tarred: bytes) -> None:
    read_or_refused(from_zip, zipped)
    read_or_refused(from_tar, checksummed(tarred))


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=2_000, deadline=None)
@given(damaged(zips()), damaged(tars()))
def test_no_archive_of_many_raises_what_is_not_ours(zipped: bytes, tarred: bytes) -> None:
    for read, raw in ((from_zip, zipped), (from_tar, tarred), (from_tar, checksummed(tarred)), (from_tar, zipped)):
        read_or_refused(read, raw)


@pytest.mark.timeout(30)
def test_names_of_many_folders_are_read_in_time() -> None:
    many = Limits(file_bytes=1000, total_bytes=10_000_000, files=10_000)
    entries = (Entry(name=f"{'a/' * 500}{number}.md", read=lambda _: b"") for number in range(10_000))

    assert len(gather(entries, limits=many).sources) == 10_000
