"""What waits to be written comes back from wherever it was put."""

import pytest

from app.posts.records import pack
from app.posts.spool import Spool
from tests.posts.samples import document


@pytest.mark.parametrize("size", [1, 400_000])
def test_records_come_back_from_their_places_in_any_order(size: int) -> None:
    packed = [pack("sqlite", document(f"{number}.md", f"{number} {'語' * size}")) for number in range(4)]
    with Spool() as spool:
        places = [spool.put(each) for each in packed[:3]]
        first = spool.get(places[1])
        places.append(spool.put(packed[3]))
        found = [spool.get(place).post["source_name"] for place in (places[3], places[0], places[2])]

    assert (first.post["source_name"], found) == ("1.md", ["3.md", "0.md", "2.md"])
