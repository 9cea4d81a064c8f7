"""One HTML page that needs no other file, in light and dark, and pictures in its colours."""

import html
from collections.abc import Iterable

_COLORS = """
:root { color-scheme: light dark; --paper: #fdfdfc; --ink: #1d2330; --quiet: #667085;
  --line: #e3e6eb; --stripe: #f5f6f8; --alarm: #c8372d; --care: #b7791f; --fine: #2f855a;
  background: var(--paper); color: var(--ink); }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #e4e7ec; --quiet: #98a2b3;
  --line: #2b313b; --stripe: #1b1f26; --alarm: #f97066; --care: #e5b454; --fine: #6ccf97; } }
"""
_STYLE = """
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 70rem;
  font: 15px/1.5 system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
h1 { margin: 0; font-size: 1.7rem; } h2 { margin: 3rem 0 .8rem; padding-top: .8rem;
  border-top: 1px solid var(--line); font-size: 1.3rem; } h3 { margin: 2rem 0 .6rem;
  font-size: 1rem; }
p { max-width: 46rem; margin: .4rem 0; color: var(--quiet); }
ul { margin: 1rem 0; padding: 0; list-style: none; }
li { margin: .4rem 0; padding: .45rem .8rem; border-left: 4px solid; background: var(--stripe);
  overflow-wrap: anywhere; }
li.alarm { border-color: var(--alarm); } li.care { border-color: var(--care); }
li.fine { border-color: var(--fine); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
th, td { padding: .22rem .8rem; text-align: right; white-space: nowrap; }
th { border-bottom: 2px solid var(--line); font-weight: 600; }
th:first-child, td:first-child { text-align: left; padding-left: .4rem; }
tbody tr:nth-child(even) { background: var(--stripe); }
details { margin: 1rem 0; } summary { cursor: pointer; font-weight: 600; }
figure { margin: 1.2rem 0; } figure svg { width: 100%; height: auto; }
figcaption { max-width: 46rem; color: var(--quiet); font-size: .87rem; }
a { color: inherit; }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page in light and dark, from parts that the functions below make."""
    title = html.escape(title)
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}</title>\n<style>{_COLORS}{_STYLE}</style></head>\n'
        f'<body>\n<h1>{title}</h1>\n{"".join(parts)}</body></html>\n'
    )
    # Names of files may hold bytes that are no text.
    return text.encode('utf-8', 'replace').decode()


def section(text: str) -> str:
    return f'<h2>{html.escape(text)}</h2>\n'


def paragraph(text: str) -> str:
    return f'<p>{html.escape(text)}</p>\n'


def findings(sentences: Iterable[tuple[str, str]]) -> str:
    """A list of (kind, sentence), with kinds `alarm`, `care` and `fine`."""
    items = ''.join(f'<li class="{kind}">{html.escape(text)}</li>\n' for kind, text in sentences)
    return f'<ul>\n{items}</ul>\n'


def figure(svg: str, caption: str, after: str = '') -> str:
    """A picture, as `<svg ...>` text, with a caption, and what `link` made after that."""
    return f'<figure>\n{svg}\n<figcaption>{html.escape(caption)}{after}</figcaption></figure>\n'


def link(text: str, address: str) -> str:
    """A way to another page, with its relative address as a browser takes it."""
    return f' <a href="{html.escape(address)}">{html.escape(text)}</a>'


def picture_file(svg: str) -> str:
    """A picture, as `<svg ...>` text, as a file of its own in the colours of a page."""
    opening, rest = svg.split('>', 1)
    return f'{opening}><style>{_COLORS}</style>{rest}\n'


def folded(title: str, part: str) -> str:
    """A part that shows when its title is clicked."""
    return f'<details><summary>{html.escape(title)}</summary>\n{part}</details>\n'
