"""Hostile posts through the API into a page of a real browser: no script of theirs runs, no name of theirs is taken."""

import codecs
import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.browser import browsed, needs_chromium
from tests.building import AUTH, send

pytestmark = [pytest.mark.slow, needs_chromium]

# In each frame: what a post would call is counted, and everything that a reader may touch is touched. A piece is shown
# as part of the page, then set as innerHTML, then set again from what the browser made of it.
PRELUDE = """<!DOCTYPE html><script>
const hit = () => top.ran.add(NUMBER);
for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = hit;
</script><body>"""
TOUCH = """<div class="again"></div><script>
const piece = PIECE;
const touch = () => {
  for (const element of document.querySelectorAll("body *:not(script)")) {
    for (const name of ["mouseover", "mouseenter", "pointerenter", "focus", "blur", "toggle", "animationstart", "begin"])
      element.dispatchEvent(new Event(name));
    const address = element.getAttribute("href") ?? "";
    if (element instanceof HTMLAnchorElement ? element.protocol === "javascript:" : !address) element.click?.();
  }
};
addEventListener("load", () => {
  touch();
  const again = document.querySelector(".again");
  again.innerHTML = piece;
  touch();
  again.innerHTML = again.innerHTML;
  touch();
});
</script>"""
PAGE = """<!DOCTYPE html><meta charset="utf-8"><script>window.ran = new Set();</script>FRAMES
<script>addEventListener("load", () => setTimeout(() => {
  document.documentElement.innerHTML = "<body><pre id=ran>" + JSON.stringify([...ran]) + "</pre>";
}, 3000));</script>"""


def cases() -> dict[str, str]:
    text = (Path(__file__).parents[1] / "cases" / "xss.md").read_text(encoding="utf-8").partition("\n\n")[2]
    found = re.findall(r"([^\n]+)\n\.\n(.*?)\n\.\n", text, re.DOTALL)
    return {
        title: codecs.decode(source.encode("latin-1", "backslashreplace"), "unicode_escape") for title, source in found
    }


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run_page(page: str) -> str:
    """What a browser's document is after a page has run."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "page.html").write_text(page, encoding="utf-8", errors="surrogatepass")
        with served(Path(name)) as address:
            return browsed(f"{address}/page.html")[0]


def run_by(pieces: list[str]) -> set[int]:
    """The numbers of the pieces that ran a script of their own."""
    frames = "".join(
        f'<iframe srcdoc="{escape(PRELUDE.replace("NUMBER", str(number)) + piece + _touching(piece))}"></iframe>'
        for number, piece in enumerate(pieces)
    )
    found = re.search(r"<pre id=\"ran\">(.*?)</pre>", run_page(PAGE.replace("FRAMES", frames)))
    assert found, "the page did not come to its end"
    return set(json.loads(found[1]))


def _touching(piece: str) -> str:
    return TOUCH.replace("PIECE", json.dumps(piece).replace("</", "<\\/").replace("<!--", "<\\!--"))


def pieces_of(client: TestClient, source: str) -> str:
    """All that the API gives as HTML for a post; nothing where it is refused."""
    sent = client.put("/v1/posts/x", content=source.encode("utf-8", "surrogatepass"), headers=AUTH)
    assert sent.status_code in (200, 201, 422), sent.text
    if sent.status_code == 422:
        return ""
    post = client.get("/v1/posts/x", headers=AUTH).json()
    found = client.get("/v1/posts?q=x&highlight=true&status=any&include=highlights", headers=AUTH)
    marked = [text for item in found.json().get("items", []) for text in (item.get("highlights") or {}).values()]
    anchors = "".join(f'<a href="#{escape(heading["id"])}">x</a>' for heading in post["toc"])
    addresses = (post["permalink"], post["cover"], *(image["src"] for image in post["images"]))
    linked = "".join(
        f'<a href="{escape(address)}">x</a><img src="{escape(address)}">' for address in addresses if address
    )
    return "".join((post["html"], post["excerpt_html"], anchors, linked, *filter(None, map(_flat, marked))))


def _flat(marked: Any) -> str:
    return "".join(map(_flat, marked)) if isinstance(marked, list) else marked or ""


def test_no_script_of_a_post_runs(make_client: Callable[..., TestClient]) -> None:
    plain, embedding = make_client(), make_client(embed_hosts=["frames.example"])
    framed = {title: source for title, source in cases().items() if "frame" in title}
    titles = [*cases(), *framed]
    pieces = [pieces_of(plain, source) for source in cases().values()]
    pieces += [pieces_of(embedding, source) for source in framed.values()]
    controls = ["<img src=x onerror=hit()>", "<a href='javascript:hit()'>x</a>", "<script>hit()</script>"]
    ran = run_by([*pieces, *controls])

    assert len(cases()) >= 150
    assert sum('<iframe src="https://frames.example/"' in piece for piece in pieces) >= 5
    assert {number for number in ran if number >= len(titles)} == {
        len(titles) + number for number in range(len(controls))
    }
    assert [titles[number] for number in sorted(ran) if number < len(titles)] == []


NAMES = """<!DOCTYPE html><pre id=names></pre><script>
const names = new Set();
for (const start of [window, document, document.createElement("form"), {}])
  for (let each = start; each; each = Object.getPrototypeOf(each))
    for (const name of Object.getOwnPropertyNames(each)) names.add(name);
document.getElementById("names").textContent = JSON.stringify([...names]);
</script>"""


def test_no_name_of_the_browsers_is_taken(make_client: Callable[..., TestClient]) -> None:
    found = re.search(r"<pre id=\"names\">(.*?)</pre>", run_page(NAMES))
    assert found
    names = [name for name in json.loads(found[1]) if re.fullmatch(r"[A-Za-z_$][\w$]*", name)]
    assert len(names) > 1000  # the browser was asked
    tags = "\n".join(f'<a id="{name}">a</a><a name="{name}">b</a>\n' for name in names)
    client = make_client()
    report = send(client, {"a.md": tags, "b.md": "\n\n".join(f"# {name}" for name in names)}, atomic=False).json()
    assert report["failed"] == 0
    taken = set(re.findall(r'(?:id|name)="([^"]*)"', client.get("/v1/posts/a").json()["html"]))
    headings = {heading["id"] for heading in client.get("/v1/posts/b").json()["toc"]}

    assert taken & set(names) == set()
    assert headings & set(names) == set()
