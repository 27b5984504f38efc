"""How deeply the raw HTML of a post nests, before a browser's rules are applied to it.

HTML opens formatting elements that were left open again in each later paragraph: n of them and n paragraphs make n²
elements. A sanitiser builds them all, so they are counted before.
"""

import re
from collections.abc import Iterable

from app.documents.html_names import CLOSED_BY_THE_NEXT, OTHER_RULES, RAW_TEXT, VOID

_MARKUP = re.compile(
    r"<!--(?!-?>)(?:[^-]|-(?!-))*+-->"
    r"|<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]*+)"
    r"(?:\s++[a-zA-Z_:][\w.:-]*+(?:\s*+=\s*+(?:[^\s\"'=<>`]++|'[^']*+'|\"[^\"]*+\"))?+)*+\s*+/?>"
    r"|(?P<odd><[a-zA-Z/!?])",
    re.ASCII,
)


def deepest(pieces: Iterable[str]) -> int:
    """The most elements that are open at one time; rather too many than too few.

    Only an end tag right behind its element's content counts, and none counts any more behind markup that a browser may
    read in another way than it looks.
    """
    nesting = _Nesting()
    for piece in pieces:
        nesting.read(piece)
    return nesting.deepest


class _Nesting:
    def __init__(self) -> None:
        self.open: list[str] = []
        self.deepest = 0
        self.doubtful = False

    def read(self, piece: str) -> None:
        position = 0
        while found := _MARKUP.search(piece, position):
            position = found.end()
            if found["odd"]:
                self.doubtful = True
            elif found["close"]:
                self._close(found["name"].lower())
            elif found["name"]:
                position = self._start(found["name"].lower(), piece, position)

    def _close(self, name: str) -> None:
        if self.open and self.open[-1] == name and not self.doubtful:
            self.open.pop()

    def _start(self, name: str, piece: str, position: int) -> int:
        """Note a start tag; returns where to read on, which is behind the content where that is no markup."""
        if name in OTHER_RULES:
            self.doubtful = True
        if name in VOID or name in CLOSED_BY_THE_NEXT:
            return position
        self.open.append(name)
        self.deepest = max(self.deepest, len(self.open))
        if name not in RAW_TEXT or self.doubtful:
            return position
        end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(piece, position)
        if end is None:
            return position
        self.doubtful = piece.find("<!--", position, end.start()) >= 0  # scripts have rules of their own for these
        return end.start()
