"""Every block of Python in README.md and docs/ runs; links lead somewhere. For docstrings, see `test_docstrings`.

The blocks of one page run in order and share their names, as in a notebook, on the real server. `await` is allowed at
the top level. The address in the pages, http://localhost:8080/api, stands for the test server's. A block may stay out
only by a comment just before it that gives the reason: `<!-- not run: needs an Orkes server -->`.

A picture in the language of Mermaid is what `workflow.to_mermaid()` gives at that point of the page.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
import textwrap
import traceback
import types
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted((ROOT / "conductor_async").rglob("*.py"))

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w+-]*)[^\n]*\n(?P<code>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
)
_OPT_OUT = re.compile(r"<!-- not run: \S.*-->\s*\Z")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code, and the line of the page that its first line stands in."""

    page: Path
    line: int
    code: str
    runs: bool

    def compiled(self) -> types.CodeType:
        tree = ast.parse(self.code, filename=str(self.page))
        ast.increment_lineno(tree, self.line - 1)  # so that a traceback shows the line of the page
        return compile(tree, str(self.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def blocks_of(page: Path, text: str | None = None) -> list[Block]:
    text = page.read_text(encoding="utf-8") if text is None else text
    return [
        Block(
            page=page,
            line=text.count("\n", 0, found.start("code")) + 1,
            code=_CODE[found["language"]](textwrap.dedent(found["code"])),
            runs=_OPT_OUT.search(text[: found.start()]) is None,
        )
        for found in _FENCE.finditer(text)
        if found["language"] in _CODE
    ]


# A picture is one of the `workflow` that the page has described by then.
_CODE = {"python": str, "mermaid": lambda picture: f"assert workflow.to_mermaid() == {picture!r}\n"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_blocks_of_pages_compile() -> None:
    for page in PAGES:
        for block in blocks_of(page):
            block.compiled()


def test_no_block_of_python_goes_by_another_name() -> None:
    known = {"console", "ini", "json", "markdown", "mermaid", "python", "text", "toml"}
    used = {found["language"]: name_of(page) for page in PAGES for found in _FENCE.finditer(page.read_text("utf-8"))}
    assert {language: page for language, page in used.items() if language not in known} == {}


def run(blocks: list[Block], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the blocks of a page in order, with names in common."""
    names = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", names)  # where dataclasses and models look up their annotations
    with asyncio.Runner() as runner:
        for block in blocks:
            if block.runs:
                code = block.compiled()
                result = eval(code, vars(names))
                if code.co_flags & inspect.CO_COROUTINE:
                    runner.run(result)


def pages_that_run(*, start_a_server: bool) -> list[Path]:
    """The pages with code that runs: those that start a real server of their own, or the others."""
    running = {page: [block.code for block in blocks_of(page) if block.runs] for page in PAGES}
    return [page for page, code in running.items() if code and ("LocalServer(" in "".join(code)) == start_a_server]


@pytest.mark.server
@pytest.mark.parametrize("page", pages_that_run(start_a_server=False), ids=name_of)
def test_blocks_of_pages_run(page: Path, server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", server_url)
    text = page.read_text(encoding="utf-8").replace("http://localhost:8080/api", server_url)
    run(blocks_of(page, text), monkeypatch)


@pytest.mark.real_server
@pytest.mark.thorough
@pytest.mark.parametrize("page", pages_that_run(start_a_server=True), ids=name_of)
def test_blocks_of_pages_that_start_a_server_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(blocks_of(page), monkeypatch)


def test_links_lead_somewhere() -> None:
    links = [(page, link) for page in PAGES for link in _LINK.findall(_FENCE.sub("", page.read_text("utf-8")))]
    assert [f"{name_of(page)}: {link}" for page, link in links if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    if link.startswith(("https://", "mailto:")):
        return True
    path, _, anchor = link.partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.exists() and (not anchor or anchor in anchors_of(file))


def anchors_of(page: Path) -> set[str]:
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_a_block_that_does_not_compile_is_seen(tmp_path: Path) -> None:
    [block] = blocks_of(tmp_path / "page.md", "Text\n\n```python\nawait broken(\n```\n")
    with pytest.raises(SyntaxError):
        block.compiled()


def test_a_block_that_fails_is_seen_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "```python\nimport asyncio\n```\n\n```python\nawait asyncio.sleep(0)\nassert 1 == 2\n```\n"
    with pytest.raises(AssertionError) as failed:
        run(blocks_of(tmp_path / "page.md", text), monkeypatch)
    frame = traceback.extract_tb(failed.tb)[-1]
    assert (Path(frame.filename).name, frame.lineno) == ("page.md", 7)


def test_a_block_stays_out_by_a_comment_with_a_reason_only(tmp_path: Path) -> None:
    block = "```python\nraise AssertionError\n```\n"
    for comment, runs in {
        "<!-- not run: it takes an hour -->\n": False,
        "<!-- not run: -->\n": True,
        "\n": True,
    }.items():
        assert [each.runs for each in blocks_of(tmp_path / "page.md", comment + block)] == [runs]
