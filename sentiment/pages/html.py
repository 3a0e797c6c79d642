"""The building blocks of a page: escaped text, tables, facts, badges, figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1b2330; --soft: #5d6878; --line: #e3e7ed; --paper: #ffffff; --wash: #f5f7fa;
  --accent: #2f6fdb; --good: #15803d; --bad: #c02626; --warn: #a35f00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #98a3b3; --line: #2c3440; --paper: #14181f;
  --wash: #1c222b; --accent: #6ea2ff; --good: #4cc27a; --bad: #ff7b72; --warn: #e0a33e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.1rem; margin: 2.4rem 0 .7rem; } h3 { font-size: .95rem; margin: 1.4rem 0 .3rem; }
p { margin: .3rem 0 .8rem; max-width: 46rem; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .93rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .82rem; border-bottom: 1px solid var(--line); }
th, td { padding: .42rem 1rem .42rem 0; vertical-align: top; }
td { border-bottom: 1px solid var(--line); }
td small { display: block; color: var(--soft); }
.prose { overflow-wrap: anywhere; min-width: 12rem; }
.number { text-align: right; white-space: nowrap; } time { white-space: nowrap; }
tr.failed td { background: color-mix(in srgb, var(--bad) 9%, transparent); }
.scroll { overflow-x: auto; margin: .6rem 0 1rem; }
.badge { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .78rem; font-weight: 600;
  white-space: nowrap; border: 1px solid currentColor; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .quiet { color: var(--soft); }
.banner { padding: .8rem 1.1rem; border-radius: .5rem; margin: 1rem 0 1.5rem; border-left: .3rem solid currentColor;
  background: color-mix(in srgb, currentColor 8%, transparent); }
.banner p { color: var(--ink); margin: .15rem 0 0; max-width: none; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.card { background: var(--wash); border-radius: .5rem; padding: .8rem 1rem; }
.card b { display: block; font-size: 1.45rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.3; }
.card span { color: var(--soft); font-size: .82rem; display: block; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.5rem; margin: .6rem 0; }
figure { margin: 0; } figure svg { width: 100%; height: auto; display: block; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 1rem 0; font-size: .93rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
.share { min-width: 7rem; height: .55rem; margin-top: .5rem; border-radius: .3rem; background: var(--line); }
.share i { display: block; height: 100%; border-radius: .3rem; background: currentColor; }
figcaption { font-size: .85rem; color: var(--soft); margin-top: .2rem; }
details { margin: .3rem 0 0; } summary { cursor: pointer; color: var(--accent); font-size: .85rem; }
ul { margin: .4rem 0; padding-left: 1.2rem; } li { margin: .2rem 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .35rem 1.5rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.confusion { width: auto; }
.confusion td { text-align: center; min-width: 7rem; border: 3px solid var(--paper); padding: .8rem; }
.confusion th { border: 0; padding-right: 1rem; } .confusion b { font-size: 1.2rem; display: block; }
"""


class Html(str):
    """Markup that is safe to show: made by these functions, or escaped."""

    __slots__ = ()


def text(value: object) -> Html:
    """Escapes any value, except markup. Reviews are untrusted: every shown value passes through here."""
    return value if isinstance(value, Html) else Html(escape(str(value), quote=True))


def join(parts: Iterable[Html], separator: str = "") -> Html:
    """Puts markup together."""
    return Html(separator.join(parts))


def page(title: str, *blocks: Html) -> str:
    """A whole document: inline style, no script, nothing to load.

    Args:
        title: Shown as heading and window title.
        blocks: Markup, in order.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{text(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{text(title)}</h1>\n{join(blocks, chr(10))}\n</body></html>\n"
    )


def section(heading: str, *blocks: Html, anchor: str = "") -> Html:
    """Returns a section with a heading; ``anchor`` is the target of a link in :func:`contents`."""
    start = f'<section id="{text(anchor)}">' if anchor else "<section>"
    return Html(f"{start}<h2>{text(heading)}</h2>{join(blocks)}</section>")


def contents(anchors: Mapping[str, str]) -> Html:
    """Links to the sections of a long page: words by anchor."""
    links = (f'<a href="#{text(anchor)}">{text(words)}</a>' for anchor, words in anchors.items())
    return Html(f"<nav>{' '.join(links)}</nav>")


def share(part: float, kind: str) -> Html:
    """A bar for a share in [0, 1], kinds as in :func:`badge`."""
    width = 100 * min(max(part, 0.0), 1.0)
    return Html(f'<div class="share {kind}"><i style="width: {width:.1f}%"></i></div>')


def paragraph(words: object, kind: str = "") -> Html:
    """Returns a paragraph; ``kind`` ``"soft"`` is for side remarks."""
    return Html(f'<p class="{kind}">{text(words)}</p>' if kind else f"<p>{text(words)}</p>")


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Iterable[int] = (),
    prose: Iterable[int] = (),
    failed: Iterable[int] = (),
) -> Html:
    """A table.

    Args:
        headers: Of the columns.
        rows: Cells, as many as headers.
        numbers: Columns, from 0, that are set flush right.
        prose: Columns, from 0, of running text, which may be broken anywhere.
        failed: Rows, from 0, that are tinted.
    """
    kind_of = dict.fromkeys(numbers, ' class="number"') | dict.fromkeys(prose, ' class="prose"')
    tinted = set(failed)

    def cells(tag: str, row: Sequence[object]) -> str:
        return "".join(f"<{tag}{kind_of.get(i, '')}>{text(cell)}</{tag}>" for i, cell in enumerate(row))

    body = (f"<tr{' class=failed' if i in tinted else ''}>{cells('td', row)}</tr>" for i, row in enumerate(rows))
    head = f"<thead><tr>{cells('th', headers)}</tr></thead>"
    return Html(f'<div class="scroll"><table>{head}<tbody>{"".join(body)}</tbody></table></div>')


def facts(values: Mapping[str, object]) -> Html:
    """Names and values."""
    return Html("<dl>" + "".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in values.items()) + "</dl>")


def badge(words: str, kind: str) -> Html:
    """A small label; kind is ``good``, ``bad``, ``warn`` or ``quiet``."""
    return Html(f'<span class="badge {kind}">{text(words)}</span>')


def banner(words: str, kind: str, detail: str = "") -> Html:
    """The verdict of a page, kinds as in :func:`badge`."""
    return Html(f'<div class="banner {kind}"><strong>{text(words)}</strong>{paragraph(detail) if detail else ""}</div>')


def cards(values: Iterable[tuple[str, object, object]]) -> Html:
    """Returns the main figures: name, figure, detail."""
    items = (
        f'<div class="card"><span>{text(name)}</span><b>{text(figure)}</b><span>{text(note)}</span></div>'
        for name, figure, note in values
    )
    return Html(f'<div class="cards">{"".join(items)}</div>')


def details(summary: str, items: Sequence[object]) -> Html:
    """A list that opens on a click; nothing where there are no items."""
    if not items:
        return Html("")
    entries = "".join(f"<li>{text(item)}</li>" for item in items)
    return Html(f"<details><summary>{text(summary)}</summary><ul>{entries}</ul></details>")


def figure(svg: Html, caption: str) -> Html:
    """A drawing with its caption."""
    return Html(f"<figure>{svg}<figcaption>{text(caption)}</figcaption></figure>")


def figures(*drawings: Html) -> Html:
    """Drawings side by side where there is room."""
    return Html(f'<div class="figures">{join(drawings)}</div>')


def shorten(value: object, most: int = 300) -> str:
    """The beginning of a text, at most ``most`` characters."""
    words = str(value)
    return words if len(words) <= most else f"{words[: most - 2]} …"
