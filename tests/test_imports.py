"""Our own imports go strictly downward, and Flax's modules stay where they belong."""

import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parent.parent / 'posevid_jax'
ORDER = [
    'errors', 'config', 'machine', 'data', 'video', 'features', 'baselines', 'models', 'evaluation',
    'runs', 'training', 'capacity', 'inference', 'modes', 'main', '__main__',
]  # fmt: skip
FILES = sorted(PACKAGE.rglob('*.py'))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            yield node.module
            yield from (f'{node.module}.{alias.name}' for alias in node.names)


def room(dotted):
    """posevid_jax.data.clips -> data"""
    return dotted.split('.')[1]


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downward(path):
    relative = path.relative_to(PACKAGE)
    if relative == pathlib.Path('__init__.py'):
        return
    here = relative.parts[0].removesuffix('.py')
    for name in imported(path):
        if name.startswith('posevid_jax.'):
            assert ORDER.index(room(name)) <= ORDER.index(here), f'{path} imports {name}'


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_linen_stays_in_models_and_jax_out_of_data_and_video(path):
    here = path.relative_to(PACKAGE).parts[0]
    names = set(imported(path))
    if here != 'models':
        assert not any(name.startswith('flax.linen') for name in names)
    if here in ('data', 'video'):
        assert not any(name.split('.')[0] in ('jax', 'flax') for name in names)
