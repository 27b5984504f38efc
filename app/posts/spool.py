"""What waits to be written, outside of memory: a temporary file that is gone with the process."""

import pickle
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from app.posts.records import Packed, Records

IN_MEMORY = 1024 * 1024  # bytes before a file takes over


class Spool:
    """Records by their place, the first byte of their pickle."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by whoever made the spool
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, packed: Packed) -> int:
        """Keeps the records; the place where they are."""
        place = self._file.seek(self._end)
        self._end += self._file.write(packed.records)
        return place

    def get(self, place: int) -> Records:
        self._file.seek(place)
        records: Records = pickle.load(self._file)  # noqa: S301 - of our own making
        return records
