"""Mode eval: a run directory and a set of clips to a record on screen and on disk."""

import pathlib

from ml_collections import ConfigDict

from posevid_jax.data import source
from posevid_jax.evaluation import decision, report
from posevid_jax.evaluation.results import Evaluation
from posevid_jax.inference.restore import restore
from posevid_jax.machine.parallel import Parallel
from posevid_jax.runs import evaluation_files
from posevid_jax.training import validation


def evaluate_run(config: ConfigDict, workdir: pathlib.Path, checkpoint: str = 'best') -> Evaluation:
    """Evaluates a checkpoint on `config.data.test`, or on the run's validation clips.

    Prints a table and writes `workdir/eval/<set>.json`, and `<set>.html` with pictures; counts the
    look in `workdir/eval/looks.jsonl`.

    Args:
      config: the run's, with overrides.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Returns:
      the evaluation.

    Raises:
      InputError: run, checkpoint or clips are missing or do not fit each other.
    """
    decision.check(config)
    parallel = Parallel(config.parallel)
    parallel.check_batch_size('eval.batch_size', config.eval.batch_size)
    run = restore(config, workdir, checkpoint)
    data = config.data
    clips = source.load(data.test, data) if data.test else run.validation_clips()
    of = evaluation_files.set_name(workdir, data.test or data.val, data.train)
    name = of.name
    clips = run.conform(clips, data.test or name)
    run.warn_of_other_clips(clips, name)
    logits = run.logits(parallel)(clips)
    evaluation = validation.evaluate(
        logits, clips, run.decision, config,
        of=of, step=run.step, trained_on=run.count_trained_on(clips),
    )  # fmt: skip
    page = workdir / 'eval' / f'{name}.html'
    look = evaluation_files.write(
        workdir, page, evaluation, clips, logits, run.decision, config.eval
    )
    print('\n'.join(report.lines(f'{workdir}, step {run.step} on {name}', evaluation)))
    print(f'look {look} at {name} from this run directory')
    return evaluation
