"""The documents speak of what there is: files, headings, keys of the configuration."""

import pathlib
import re
import subprocess

import pytest

from posevid_jax.config import get_config

ROOT = pathlib.Path(__file__).parents[1]
DOCUMENTS = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')),
    ROOT / 'benchmarks' / 'README.md',
    *sorted((ROOT / 'docs').glob('*.md')),
]
# What looks like a file of the tree, or like a key, and is neither.
WRITTEN_BY_RUNS = (
    *('checkpoints/', 'eval/', 'eval/SET/', 'example.py', 'export/', 'members/NAME/', 'NAME.py'),
    *('predictions/FOLDER/', 'report/', 'suggestions/FOLDER/', 'tensorboard/'),
)
ENDINGS = ('.html', '.jax', '.json', '.jsonl', '.npz', '.py', '.sbatch')

documents = pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def without_code(text):
    return re.sub(r'^```.*?^```', '', text, flags=re.MULTILINE | re.DOTALL)


def anchors(path):
    """What GitHub makes of the headings of a file."""
    headings = re.findall(r'^#+ (.*)$', without_code(path.read_text()), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


@documents
def test_links_lead_somewhere(path):
    for target in re.findall(r'\]\(([^)\s]+)\)', path.read_text()):
        if target.startswith('https://'):
            continue
        name, _, heading = target.partition('#')
        file = path.parent / name if name else path
        assert file.exists(), target
        assert not heading or heading in anchors(file), target


@documents
def test_files_that_are_named_exist(path):
    files = r'`((?:[\w.]+/)*\w+\.(?:py|sbatch|yaml)|(?:[\w.]+/)+)`'
    for name in re.findall(files, without_code(path.read_text())):
        found = (ROOT / name).exists() or (ROOT / 'posevid_jax' / name).exists()
        assert found or name.endswith(WRITTEN_BY_RUNS), name


@documents
def test_keys_that_are_named_exist(path):
    if path.name == 'CHANGELOG.md':
        return  # speaks of old names too
    text, config = path.read_text(), get_config()
    sections = '|'.join(name for name in config if hasattr(config[name], 'items'))
    named = re.findall(r'--config\.([a-z_][\w.]*)=', text)
    named += re.findall(rf'`((?:{sections})\.[a-z_][\w.]*)', without_code(text))
    for key in named:
        if not key.endswith(ENDINGS):
            value = config
            for part in key.split('.'):
                assert part in value, key
                value = value[part]


def test_readme_is_short():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= 200


def test_files_for_clusters_agree_with_themselves():
    subprocess.run(['bash', '-n', ROOT / 'deploy/train.sbatch'], check=True)
    job = (ROOT / 'deploy/job.yaml').read_text()
    counts = (r'completions: (\d+)', r'parallelism: (\d+)', r'NUM_PROCESSES\n *value: "(\d+)"')
    assert len({re.search(pattern, job)[1] for pattern in counts}) == 1
    # The address of the first pod is made of the names of job and service.
    assert len(re.findall(r'^  name: posevid-train$', job, re.MULTILINE)) == 2
    assert 'value: posevid-train-0.posevid-train:' in job
    assert 'subdomain: posevid-train\n' in job
