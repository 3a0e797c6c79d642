"""Links in the docs have a target, and commands in the docs exist."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
EXPECTED = ("tour", "serving", "batch", "loop", "stacks", "data", "results", "design", "ci", "contributing")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def commands(page: Path) -> list[str]:
    """Lines of the page's shell blocks, and code spans that start like a command, without comments."""
    lines = [
        line for language, block in FENCE.findall(page.read_text()) if language == "bash" for line in block.split("\n")
    ]
    spans = re.findall(r"`([^`\n]+)`", prose(page))
    return [line.split("  #")[0].strip() for line in [*lines, *spans]]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short_and_every_page_is_there_and_linked():
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= 150
    for name in EXPECTED:
        assert (ROOT / "docs" / f"{name}.md").is_file()
        assert f"(docs/{name}.md" in readme


@each_page
def test_every_link_leads_to_a_file_and_a_heading(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = page if not name else (page.parent / name).resolve()
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}"


@each_page
def test_every_make_target_exists(page):
    named = {words[1] for line in commands(page) if (words := line.split())[:1] == ["make"] and len(words) > 1}
    assert {name for name in named if re.fullmatch("[a-z-]+", name)} <= TARGETS


@each_page
def test_every_module_and_path_exists(page):
    for line in commands(page):
        if found := re.search(r"python -m ([\w.]+)", line):
            name = found[1]
            if name.split(".")[0] in {p.name for p in ROOT.iterdir()}:
                assert importlib.util.find_spec(name), f"{page.name}: {line}"
    for span in re.findall(r"`([\w./-]+/[\w./-]*)`", prose(page)):
        first = span.split("/")[0]
        if first and (ROOT / first).is_dir() and first != ".cache" and "NAME" not in span:
            assert list(ROOT.glob(span.rstrip("/"))), f"{page.name}: {span}"


@each_page
def test_every_command_of_run_py_is_one_that_it_takes(page):
    from cli.commands import COMMANDS
    from cli.parser import parse

    for line in commands(page):
        if found := re.match(r"(?:\.venv/bin/)?python run\.py (.*)$", line):
            words = shlex.split(found[1].split("|")[0].split(";")[0])
            if not any(word in {"...", "--help"} for word in words):
                assert parse(COMMANDS, words) is not None, f"{page.name}: {line}"
