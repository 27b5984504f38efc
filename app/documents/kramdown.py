"""What kramdown adds to Markdown: attribute lists, heading ids, extensions.

Nothing of it shows as text. Attributes reach the HTML as far as the sanitiser lets them.
"""

import re
from bisect import bisect_left

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block.state_block import StateBlock
from markdown_it.rules_core.state_core import StateCore
from markdown_it.rules_inline.state_inline import StateInline
from markdown_it.token import Token

# Attributes as kramdown writes them; anything else between the braces, as in `{:ok, value}`, is text.
_ATTRIBUTE = r"""[#.][^\s{}"'#]{1,100}|[\w-]{1,50}=(?:"[^"\n]{0,300}"|'[^'\n]{0,300}'|[^\s{}"']{1,100})|[\w-]{1,50}"""
_LIST = rf"[ \t]*(?:(?:{_ATTRIBUTE})(?=[\s}}])[ \t]*){{0,20}}"
_INLINE_LIST = re.compile(rf"\{{:(?!:)({_LIST})\}}")
_BLOCK_LIST = re.compile(rf"\{{:(?!:)({_LIST})\}}[ \t]*")
_DEFINITION = re.compile(rf"\{{:([\w-]{{1,50}}):({_LIST})\}}[ \t]*")
_HEADING_LIST = re.compile(rf"\{{((?:[#.])(?:{_LIST}))\}}[ \t]*")
_PART = re.compile(_ATTRIBUTE)
_EXTENSION = re.compile(r"\{::(comment|nomarkdown|options)(?:[ \t][^}\n]{0,300})?\}")
_EXTENSION_END = re.compile(r"\{:/[a-z]{0,20}\}")
_REPLACED = frozenset(("toc", "footnotes"))  # kramdown puts these in the place of the list that bears the name
_INTERRUPTS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
_OWN_ADDRESSES = frozenset(("href", "src"))


def kramdown(md: MarkdownIt) -> None:
    """Add the rules to a parser."""
    for rule in (_attribute_line, _extension_block):
        md.block.ruler.before("fence", rule.__name__.strip("_"), rule, _INTERRUPTS)
    md.inline.ruler.before("link", "attribute_list", _attribute_span)
    md.inline.ruler.before("link", "extension_span", _extension_span)
    md.core.ruler.after("block", "block_attributes", _block_attributes)
    md.core.ruler.after("inline", "span_attributes", _span_attributes)


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _attribute_line(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """`{: …}` on a line of its own belongs to the block it follows at once, else to the next one."""
    if state.is_code_block(start) or not state.src.startswith("{:", state.bMarks[start] + state.tShift[start]):
        return False
    line = _line(state, start)
    definition = _DEFINITION.fullmatch(line)
    found = definition or _BLOCK_LIST.fullmatch(line)
    if found is None:
        return False
    if silent:
        return True
    state.line = start + 1
    if definition:
        state.env.setdefault("attribute_lists", {})[definition[1]] = definition[2]
        return True
    token = state.push("attribute_list", "", 0)
    token.content, token.hidden = found[1], True
    token.meta = {"behind": start > 0 and not state.isEmpty(start - 1)}
    return True


def _extension_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`{::comment}` … `{:/comment}`: nothing; `{::nomarkdown}` … `{:/}`: HTML as it is; a closing tag alone: nothing."""
    if state.is_code_block(start) or not state.src.startswith("{:", state.bMarks[start] + state.tShift[start]):
        return False
    line = _line(state, start)
    if _EXTENSION_END.fullmatch(line.rstrip()):
        state.line = start + (0 if silent else 1)
        return True
    opening = _EXTENSION.match(line)
    if opening is None:
        return False
    self_closed = opening[0].endswith("/}")
    last = start if self_closed else _closing_line(state, start, end, line[opening.end() :])
    if last is None and not line[opening.end() :].strip():
        last = start  # never closed: the tag alone goes
    if last is None or (line[opening.end() :].strip() and last == start and not _ends_there(line, opening)):
        return False
    if silent:
        return True
    if opening[1] == "nomarkdown":
        token = state.push("html_block", "", 0)
        content = state.getLines(start, last + 1, state.blkIndent, True)
        token.content = _EXTENSION_END.sub("", _EXTENSION.sub("", content, count=1))
        token.map = [start, last + 1]
    state.line = last + 1
    return True


def _ends_there(line: str, opening: re.Match[str]) -> bool:
    closing = _EXTENSION_END.search(line, opening.end())
    return opening[0].endswith("/}") or (closing is not None and not line[closing.end() :].strip())


def _closing_line(state: StateBlock, start: int, end: int, rest: str) -> int | None:
    if "{:/" in rest:
        return start
    missing: dict[int, int] = state.env.setdefault("extensions_unclosed", {})  # by the end, from which line on
    if start >= missing.get(end, end):
        return None
    closing = next((line for line in range(start + 1, end) if _EXTENSION_END.search(_line(state, line))), None)
    if closing is None:
        missing[end] = start
    return closing


def _attributes(text: str, lists: dict[str, str]) -> tuple[dict[str, str], set[str]]:
    """The attributes of a list and the names in it that are no attributes; defined lists are put in once."""
    attributes: dict[str, str] = {}
    names: set[str] = set()
    parts = [part for word in _PART.findall(text) for part in _PART.findall(lists.get(word, word))]
    for part in parts:
        key, equals, value = part.partition("=")
        if part.startswith("#"):
            attributes["id"] = part[1:]
        elif part.startswith("."):
            words = (attributes.get("class", ""), *part[1:].split("."))
            attributes["class"] = " ".join(filter(None, words))
        elif equals and key == "class":
            attributes["class"] = f"{attributes.get('class', '')} {_unquoted(value)}".strip()
        elif equals and key not in _OWN_ADDRESSES:
            attributes[key] = _unquoted(value)
        else:
            names.add(part)
    return attributes, names


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in ('"', "'") else value


def _apply(token: Token, attributes: dict[str, str]) -> None:
    classes = attributes.get("class", "")
    language = next((word for word in classes.split() if word.startswith("language-")), "")
    if token.type in ("code_block", "fence") and language:
        token.type, token.tag, token.info = "fence", "code", token.info or language.removeprefix("language-")
        classes = classes.replace(language, "").strip()
    if classes:
        token.attrJoin("class", classes)
    for name, value in attributes.items():
        if name != "class":
            token.attrs[name] = value


def _block_attributes(state: StateCore) -> None:
    if "{" in state.src:
        state.tokens = _attributed_blocks(state.tokens, state.env.get("attribute_lists", {}))


def _attributed_blocks(tokens: list[Token], lists: dict[str, str]) -> list[Token]:
    out: list[Token] = []
    parents: list[int] = []
    previous: int | None = None
    waiting: list[dict[str, str]] = []
    for token in tokens:
        if token.type == "attribute_list":
            attributes, names = _attributes(token.content, lists)
            if token.meta["behind"] and previous is not None:
                if names & _REPLACED and out[previous].type.endswith("list_open"):
                    del out[previous:]
                    previous = None
                else:  # the paragraphs of a tight list are not shown, their items are
                    _apply(out[parents[-1] if out[previous].hidden and parents else previous], attributes)
            else:
                waiting.append(attributes)
            continue
        if token.nesting >= 0 and token.type != "inline":
            for attributes in waiting:
                _apply(token, attributes)
            waiting.clear()
            previous = len(out)
        if token.nesting == 1:
            parents.append(len(out))
            previous = None
        elif token.nesting == -1:
            previous = parents.pop()
            waiting.clear()
        elif token.type == "inline" and out and out[-1].type == "heading_open":
            _heading_attributes(out[-1], token)
        out.append(token)
    return out


def _heading_attributes(heading: Token, inline: Token) -> None:
    """`# 見出し {#id}`, and classes beside the id as Hugo and Pandoc have them."""
    start = inline.content.rfind("{")
    found = _HEADING_LIST.fullmatch(inline.content, start) if start > 0 else None
    if found and inline.content[start - 1] in " \t\u3000":
        _apply(heading, _attributes(found[1], {})[0])
        inline.content = inline.content[:start].rstrip()


def _attribute_span(state: StateInline, silent: bool) -> bool:
    """`{: …}` behind a link, an image, emphasis or code."""
    if not state.src.startswith("{:", state.pos):
        return False
    found = _INLINE_LIST.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    attributes, names = _attributes(found[1], state.env.get("attribute_lists", {}))
    if names and not attributes and not names & _REPLACED:
        return False
    if not silent:
        token = state.push("attribute_span", "", 0)
        token.meta, token.hidden = {"attributes": attributes}, True
    state.pos = found.end()
    return True


def _span_attributes(state: StateCore) -> None:
    if "{:" not in state.src:
        return
    for token in state.tokens:
        if token.children and any(child.type == "attribute_span" for child in token.children):
            token.children = _attributed(token.children)


def _attributed(children: list[Token]) -> list[Token]:
    out: list[Token] = []
    parents: list[Token] = []
    previous: Token | None = None
    for child in children:
        if child.type == "attribute_span":
            if previous is not None:
                _apply(previous, child.meta["attributes"])
            continue
        if child.nesting == 1:
            parents.append(child)
            previous = None
        elif child.nesting == -1:
            previous = parents.pop() if parents else None
        elif child.type != "text" or child.content:
            previous = child if child.type in ("code_inline", "image") else None
        out.append(child)
    return out


def _extension_span(state: StateInline, silent: bool) -> bool:
    """`{::comment}…{:/}` and `{::nomarkdown}…{:/}` within a paragraph; stray tags are nothing."""
    if not state.src.startswith("{:", state.pos):
        return False
    stray = _EXTENSION_END.match(state.src, state.pos, state.posMax)
    opening = _EXTENSION.match(state.src, state.pos, state.posMax)
    found = stray or opening
    if found is None:
        return False
    start, end = found.end(), found.end()
    closing = None if stray or found[0].endswith("/}") else _next_end(state, start)
    if closing:
        end = closing.end()
        if not silent and opening and opening[1] == "nomarkdown":
            state.push("html_inline", "", 0).content = state.src[start : closing.start()]
    state.pos = end
    return True


def _next_end(state: StateInline, start: int) -> re.Match[str] | None:
    """The next closing tag; where they stand is looked up once a text, not once an opening tag."""
    ends: dict[str, list[int]] = state.env.setdefault("extension_ends", {})
    if state.src not in ends:
        ends[state.src] = [end.start() for end in _EXTENSION_END.finditer(state.src)]
    following = bisect_left(ends[state.src], start)
    if following == len(ends[state.src]):
        return None
    return _EXTENSION_END.match(state.src, ends[state.src][following], state.posMax)
