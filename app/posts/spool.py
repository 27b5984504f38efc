"""What waits to be written, outside of memory: a temporary file that is gone with the process."""

import pickle
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from app.posts.records import Packed, Records

IN_MEMORY = 1024 * 1024  # bytes before a file takes over


class Spool:
    """Records by their place."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by whoever made the spool
        self._starts = [0]  # of the pickles by their places, and last the end of all

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, packed: Packed) -> int:
        """Keeps the records; the place where they are."""
        end = self._starts[-1]
        self._file.seek(end)
        self._starts.append(end + self._file.write(packed.records))
        return len(self._starts) - 2

    def get(self, place: int) -> Records:
        start, end = self._starts[place : place + 2]
        self._file.seek(start)
        records: Records = pickle.loads(self._file.read(end - start))  # noqa: S301 - of our own making
        return records
