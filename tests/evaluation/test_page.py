"""Tables that stay aligned, and a page that runs nothing and needs nobody."""

import pytest

from posevid_jax.evaluation import page
from posevid_jax.evaluation.page import Table

EVIL = '<script>alert("1")</script>&'


def test_columns_stay_aligned_with_wide_letters_and_long_names():
    names = ('short', '手の距離', 'é' + 'e\u0301', 'x' * 200)
    lines = Table('Title', ('name', 'n'), [(name, '12') for name in names]).lines()
    assert lines[0] == 'Title'

    def columns(line):
        return len(line) + sum(letter in '手の距離' for letter in line) - line.count('\u0301')

    assert len({columns(line) for line in lines[1:]}) == 1
    assert all(line.endswith('12') for line in lines[2:])
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize('text', ['\x1b[31mred', 'two\nlines', 'back\r', '\udcff'])
def test_a_name_cannot_move_the_cursor(text):
    (_, _, line) = Table('Title', ('name', 'n'), [(text, '1')]).lines()
    assert line.isprintable()


def test_text_is_never_markup():
    table = Table(EVIL, (EVIL, EVIL), [(EVIL, EVIL)])
    text = page.page(EVIL, [
        table.html(), page.section(EVIL), page.paragraph(EVIL), page.findings([('care', EVIL)]),
        page.figure('<svg></svg>', EVIL),
    ])  # fmt: skip
    assert '<script' not in text
    assert text.count('&lt;script&gt;') == 11


def test_bytes_that_are_no_text_do_not_stop_the_page():
    assert 'name?' in page.page('name\udcff', []).encode().decode()
