import random
import tracemalloc
from collections import OrderedDict

from app.api.entries import Entries, Entry


def entry(size: int) -> Entry:
    headers = [(f"x-{name}".encode(), random.randbytes(20)) for name in range(12)]
    return Entry(
        status=200,
        headers=headers,
        bare_headers=headers[2:],
        head=random.randbytes(500),
        bare_head=random.randbytes(400),
        body=random.randbytes(size),
        etag=headers[0][1],
        media_type="application/json",
        content=(b"1", b"Thu, 15 Jan 2026 12:00:00 GMT"),
    )


def key(number: int) -> tuple[bytes, bytes]:
    return b"/v1/posts", b"page=%d" % number


def test_least_recently_used_goes_first() -> None:
    entries: Entries[tuple[bytes, bytes], Entry] = Entries(118_000)
    for number in range(8):
        entries.add(key(number), entry(10_000))
    assert entries.counts.entries == 8
    entries.get(key(0))
    for _ in range(2):
        entries.add(key(8), entry(10_000))

    assert entries.get(key(0)) is not None
    assert entries.get(key(1)) is None
    assert entries.get(key(8)) is not None
    assert (entries.counts.evicted, entries.counts.refused, entries.counts.entries) == (1, 1, 8)


def test_what_would_fill_much_of_the_room_is_refused() -> None:
    entries: Entries[tuple[bytes, bytes], Entry] = Entries(100_000)
    for _ in range(2):
        entries.add(key(1), entry(30_000))

    assert (entries.counts.entries, entries.counts.bytes) == (0, 0)


def test_bytes_are_all_counted() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    entries: Entries[tuple[bytes, bytes], Entry] = Entries(2_000_000)
    for number in range(1200):
        entries.add(key(number), entry(300))
    taken = tracemalloc.get_traced_memory()[0] - before
    counted = entries.counts.bytes
    entries.clear()
    left = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    assert 1_900_000 < counted <= 2_000_000
    assert taken <= 2_050_000
    assert left < 200_000
    assert (entries.counts.bytes, entries.counts.entries) == (0, 0)


def test_flood_of_addresses_asked_for_once_pushes_out_little() -> None:
    chance = random.Random(1)
    entries: Entries[tuple[bytes, bytes], Entry] = Entries(1_500_000)
    some = entry(1000)
    plain: OrderedDict[int, None] = OrderedDict()  # as many entries, and everyone is let in
    hits = plain_hits = 0
    for flood in range(4000):
        number = chance.randrange(200)
        hits += entries.get(key(number)) is not None
        plain_hits += number in plain
        for wanted in (number, *range(1000 + flood * 5, 1005 + flood * 5)):
            if entries.get(key(wanted)) is None:
                entries.add(key(wanted), some)
            plain[wanted] = None
            plain.move_to_end(wanted)
            while len(plain) > entries.counts.entries:
                plain.popitem(last=False)

    assert hits > 3000
    assert plain_hits < 2000
