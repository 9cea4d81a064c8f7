"""A page that runs nothing and needs nobody."""

from posevid_jax.evaluation import page
from posevid_jax.evaluation.table import Table

EVIL = '<script>alert("1")</script>&'


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
