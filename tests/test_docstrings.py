"""Docstrings have one layout: entries of a section two spaces in, what continues one four."""

import ast
import pathlib
import re
from collections.abc import Iterator

import posevid_jax

ROOT = pathlib.Path(posevid_jax.__file__).parent
SECTION = re.compile(r'(Args|Attributes|Raises|Returns|Yields):')
TEXT = r' {2,}\S'
ENTRY = r' {2}[\w.]+(, [\w.]+)*: \S'  # `x, mask: ...`, `InputError: ...`
CONTINUED = r' {4}\S'


def docstrings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ''


def misplaced(docstring: str) -> Iterator[str]:
    """The lines of sections that are not where they belong."""
    allowed = None  # what the next line may look like; None outside of sections
    for line in filter(None, docstring.splitlines()):
        if SECTION.fullmatch(line):
            allowed = TEXT if line in ('Returns:', 'Yields:') else ENTRY
        elif not line.startswith(' '):
            allowed = None
        elif allowed is not None:
            if not re.match(allowed, line):
                yield line
            elif allowed == ENTRY:
                allowed = f'{ENTRY}|{CONTINUED}'


def test_sections_have_one_indent():
    found = [
        f'{path.relative_to(ROOT)}: {line}'
        for path in sorted(ROOT.rglob('*.py'))
        for docstring in docstrings(ast.parse(path.read_text()))
        for line in misplaced(docstring)
    ]
    assert found == []


def test_another_indent_is_seen():
    assert list(misplaced('Does.\n\nArgs:\n    x: four spaces.')) == ['    x: four spaces.']
    assert list(misplaced('Does.\n\nArgs:\n  x: two,\n      then six.')) == ['      then six.']
    assert list(misplaced('Does.\n\nArgs:\n  x: two,\n    then four.\n\nMore.')) == []
