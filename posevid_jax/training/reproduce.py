"""What a run was made of, and the command that makes it again."""

import pathlib
import shlex
from typing import Any

from posevid_jax.evaluation.json_form import to_json
from posevid_jax.evaluation.results import Evaluation
from posevid_jax.runs.config import as_json
from posevid_jax.runs.environment import environment, program
from posevid_jax.runs.files import write_json, write_text
from posevid_jax.training.experiment import Experiment

_PAGE = """\
# {workdir}, again

From the root of the repository{commit}, with the same versions on the same kind of devices:

```sh
{again}
```

It reads the configuration of this run, `config.json`, and needs the same clips:

{data}

| made with | |
|---|---|
{made_with}

| result of the best checkpoint | |
|---|---|
{results}

On a CPU every number comes out the same, on a GPU with `train.deterministic=True`. A run whose
number of epochs was changed on the way followed another schedule before that.
"""


def write(
    workdir: pathlib.Path, experiment: Experiment, evaluation: Evaluation, seconds: dict[str, float]
) -> None:
    """Writes `reproduce.json` and `reproduce.md`.

    Args:
      workdir: the run directory.
      experiment: what was trained.
      evaluation: of the best checkpoint.
      seconds: by phase, of this start.
    """
    config = experiment.config
    configuration = shlex.quote(f'run:{workdir}')
    content = environment() | {
        'again': f'{program()} --config={configuration} --workdir=NEW',
        'seed': config.seed,
        'data': {'train': experiment.train.fingerprint(), 'val': experiment.val.fingerprint()},
        'config': as_json(config),
        'results': to_json(evaluation),
        'time': seconds,
    }
    write_json(workdir / 'reproduce.json', content)
    write_text(workdir / 'reproduce.md', _page(workdir, experiment, content))


def _page(workdir: pathlib.Path, experiment: Experiment, content: dict[str, Any]) -> str:
    config, commit = experiment.config.data, content['commit']
    changed = ', which had changes that are not committed' if commit and commit['dirty'] else ''
    device, paths = content['device'], {'train': config.train, 'val': config.val or config.train}
    made_with = {
        'command': ' '.join(map(shlex.quote, content['command'])),
        'devices': f'{device["count"]} x {device["kind"]} in {content["processes"]} process(es)',
        **content['variables'],
        **content['versions'],
    }
    numbers = {key: value for key, value in content['results'].items() if _is_number(value)}
    return _PAGE.format(
        workdir=workdir,
        commit=f' at commit {commit["id"]}{changed}' if commit else '',
        again=content['again'],
        data='\n'.join(
            f'- {name}: `{paths[name]}`, fingerprint {fingerprint}'
            for name, fingerprint in content['data'].items()
        ),
        made_with='\n'.join(f'| {key} | {value} |' for key, value in made_with.items()),
        results='\n'.join(f'| {key} | {value:.6g} |' for key, value in numbers.items()),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
