"""Where a Markdown text holds code, told line by line without parsing it: close enough to leave code alone."""

import re

_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)?(`{3,}(?=[^`\n]*$)|~{3,})")
_CLOSING = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*")
_INDENTED = re.compile(r"(?: {4}| {0,3}\t)")
_LIST_ITEM = re.compile(r"[ ]{0,3}(?:[-*+]|\d{1,9}[.)])[ \t]")
_TICKS = re.compile("`+")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")


def code_ranges(text: str) -> list[tuple[int, int]]:
    """The ranges of fenced and indented blocks and of code spans, in order."""
    blocks = _blocks(text)
    ranges: list[tuple[int, int]] = []
    at = 0
    for start, end in [*blocks, (len(text), len(text))]:
        ranges += _spans(text, at, start)
        if end > start:
            ranges.append((start, end))
        at = end
    return ranges


def _blocks(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    fence, began, position = "", 0, 0
    after_blank, in_list = True, False
    for line in text.splitlines(keepends=True):
        end = position + len(line)
        if fence:
            closing = _CLOSING.fullmatch(line.rstrip("\n"))
            if closing and closing[1].startswith(fence):
                found.append((began, end))
                fence = ""
        elif opening := _FENCE.match(line.rstrip("\n")):
            fence, began = opening[1], position
        elif line.strip():
            is_code = after_blank and not in_list and _INDENTED.match(line)
            if is_code:
                found.append((position, end))
            elif not line.startswith((" ", "\t")) or _LIST_ITEM.match(line):
                in_list = bool(_LIST_ITEM.match(line))
            after_blank = bool(is_code)
        else:
            after_blank = True
        position = end
    if fence:
        found.append((began, len(text)))
    return found


def _spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Code spans by CommonMark's rule: a run of backticks closes at the next run of its length in the paragraph."""
    found: list[tuple[int, int]] = []
    at = start
    while at < end:
        paragraph = _PARAGRAPH_END.search(text, at, end)
        until = paragraph.start() if paragraph else end
        found += _spans_of_paragraph(text, at, until)
        at = paragraph.end() if paragraph else end
    return found


def _spans_of_paragraph(text: str, start: int, end: int) -> list[tuple[int, int]]:
    runs = [run for run in _TICKS.finditer(text, start, end) if text[run.start() - 1 : run.start()] != "\\"]
    closing: dict[int, int] = {}
    partner = [0] * len(runs)
    for index in range(len(runs) - 1, -1, -1):
        length = len(runs[index][0])
        partner[index] = closing.get(length, 0)
        closing[length] = index
    found, index = [], 0
    while index < len(runs):
        if partner[index]:
            found.append((runs[index].start(), runs[partner[index]].end()))
            index = partner[index]
        index += 1
    return found
