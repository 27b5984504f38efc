"""Blocks beyond CommonMark: tables without a head, boxes between `:::`, Markdown inside HTML."""

import re

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block.state_block import StateBlock
from markdown_it.rules_block.table import escapedSplit

_BOX = re.compile(r"(:{3,})[ \t]*(message|note|details|tip|info|important|warning|caution|danger|alert)\b[ \t]*(.*)")
_BOX_END = re.compile(r"(:{3,})[ \t]*")
_VARIANTS = frozenset(("info", "warn", "alert"))
_ALARMING = frozenset(("alert", "warn", "warning", "caution", "danger", "important"))
# Open : 191 (+6) | Closed : 379 (+10)
_LABELLED_FIGURE = re.compile(r"\s*[^\s:|.。、\[\]]+(?:[ \t][^\s:|.。、\[\]]+){0,3}\s*[:：]\s+[-+¥$€£]?\d[^。:：\[\]]*")
_DELIMITER = re.compile(r"\|[-:|+=\s]*-[-:|+=\s]*")
_MARKDOWN_INSIDE = re.compile(
    r"""<(?P<tag>div|section|article|aside|figure|details|blockquote|center|main|header|footer|nav|td|th|li)
        (?=\s)(?P<attributes>(?:"[^"]*"|'[^']*'|[^'">])*?)\smarkdown=(?:"(?:1|block|span)"|'(?:1|block|span)'|1)
        (?P<more>(?:"[^"]*"|'[^']*'|[^'">])*)>(?P<rest>.*)""",
    re.VERBOSE | re.IGNORECASE,
)
_CONTENT_ENDS = "</{tag}>"
_MAX_TAG_LINE = 500
_INTERRUPTS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}


def blocks(md: MarkdownIt) -> None:
    """Add the rules to a parser."""
    md.block.ruler.after("table", "headless_table", _headless_table, {"alt": []})
    md.block.ruler.before("fence", "box", _box, _INTERRUPTS)
    md.block.ruler.before("html_block", "markdown_inside", _markdown_inside, _INTERRUPTS)


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _headless_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block whose every line begins with `|`, or is a row of labelled figures between bars.

    A delimiter row, wherever it stands, is no row of the table.
    """
    if "|" not in _line(state, start) or state.is_code_block(start) or not _is_row(_line(state, start)):
        return False
    last = start
    while last < end and not state.isEmpty(last) and state.sCount[last] >= state.blkIndent:
        if not _is_row(_line(state, last)):
            if _line(state, last).startswith("{:"):
                break
            return False
        last += 1
    if silent:
        return True
    rows = [line for line in range(start, last) if not _DELIMITER.fullmatch(_line(state, line))]
    _open(state, "table", [start, last])
    _open(state, "tbody", [start, last])
    for line in rows:
        _row(state, line)
    state.push("tbody_close", "tbody", -1)
    state.push("table_close", "table", -1)
    state.line = last
    return True


def _is_row(line: str) -> bool:
    """Other bars are part of a sentence or of a title, which kramdown makes tables of."""
    if line.startswith("|"):
        return True
    return "|" in line and len(line) <= _MAX_TAG_LINE and all(map(_LABELLED_FIGURE.fullmatch, line.split("|")))


def _open(state: StateBlock, tag: str, lines: list[int]) -> None:
    state.push(f"{tag}_open", tag, 1).map = lines


def _row(state: StateBlock, line: int) -> None:
    _open(state, "tr", [line, line + 1])
    text = _line(state, line).strip()
    cells = escapedSplit(text.removeprefix("|"))
    if cells and not cells[-1].strip():
        cells.pop()
    for cell in cells:
        state.push("td_open", "td", 1)
        _inline(state, cell.strip(), line)
        state.push("td_close", "td", -1)
    state.push("tr_close", "tr", -1)


def _box(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Zenn's `:::message` and `:::details`, Qiita's `:::note` and their like, up to a line of as many colons."""
    opening = None if state.is_code_block(start) else _BOX.fullmatch(_line(state, start))
    if opening is None:
        return False
    if silent:
        return True
    markers, kind, title = opening.groups()
    last = next((line for line in range(start + 1, end) if _ends_box(state, line, markers)), end)
    parent, line_max = state.parentType, state.lineMax
    state.parentType, state.lineMax = "container", last
    tag = "details" if kind == "details" else "div"
    token = state.push("box_open", tag, 1)
    token.map, token.block = [start, last], True
    if tag == "div":
        variant, shown = _box_title(kind, title)
        is_alarming = kind in _ALARMING or variant in _ALARMING
        token.attrs = {"class": "message message-alert" if is_alarming else "message"}
        if shown:
            _title_line(state, shown, start)
    else:
        _summary(state, title or "詳細", start)
    state.md.block.tokenize(state, start + 1, last)
    state.push("box_close", tag, -1).block = True
    state.parentType, state.lineMax = parent, line_max
    state.line = min(last + 1, end)
    return True


def _box_title(kind: str, title: str) -> tuple[str, str]:
    """Zenn's and Qiita's variant, or the title that Docusaurus has in brackets and VitePress without."""
    variant = title.partition(" ")[0]
    if kind in ("message", "note") and variant in _VARIANTS:
        return variant, ""
    return "", title.removeprefix("[").removesuffix("]") if title.startswith("[") else title


def _title_line(state: StateBlock, title: str, line: int) -> None:
    state.push("title_open", "div", 1).attrs = {"class": "message-title"}
    _inline(state, title, line)
    state.push("title_close", "div", -1)


def _ends_box(state: StateBlock, line: int, markers: str) -> bool:
    found = _BOX_END.fullmatch(_line(state, line))
    return found is not None and len(found[1]) >= len(markers) and not state.is_code_block(line)


def _summary(state: StateBlock, title: str, line: int) -> None:
    state.push("summary_open", "summary", 1)
    _inline(state, title, line)
    state.push("summary_close", "summary", -1)


def _inline(state: StateBlock, text: str, line: int) -> None:
    inline = state.push("inline", "", 0)
    inline.content, inline.children, inline.map = text, [], [line, line + 1]


def _markdown_inside(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """A tag with `markdown="1"` alone on its line: what follows is Markdown without a blank line, as in kramdown."""
    at = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith("<", at) or state.is_code_block(start):
        return False
    line = _line(state, start)
    found = _MARKDOWN_INSIDE.fullmatch(line) if len(line) <= _MAX_TAG_LINE else None
    if found is None:
        return False
    rest = found["rest"].strip()
    closing = _CONTENT_ENDS.format(tag=found["tag"])
    if rest and not rest.lower().endswith(closing.lower()):
        return False
    if silent:
        return True
    token = state.push("html_block", "", 0)
    token.content, token.map = f"<{found['tag']}{found['attributes']}{found['more']}>\n", [start, start + 1]
    if rest:
        state.push("paragraph_open", "p", 1).map = [start, start + 1]
        _inline(state, rest[: -len(closing)].strip(), start)
        state.push("paragraph_close", "p", -1)
        state.push("html_block", "", 0).content = f"{closing}\n"
    state.line = start + 1
    return True
