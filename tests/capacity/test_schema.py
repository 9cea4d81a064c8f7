"""Reports of earlier versions are read, those in docs/examples among them."""

import pathlib

import pytest

from posevid_jax.capacity import schema

EXAMPLES = pathlib.Path(__file__).parents[2] / 'docs/examples'


@pytest.mark.parametrize(
    'path', sorted(EXAMPLES.glob('capacity_report_*.json')), ids=lambda path: path.stem
)
def test_the_examples_can_be_read_and_name_the_next_batch(path):
    report = schema.read(path)
    assert report['schema_version'] == schema.VERSION
    for record in report['results']:
        assert record['best_batch'] < record['best_next']
        assert record['max_bracket'] == record['max_next'] - record['max_batch']
