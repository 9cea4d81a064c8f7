"""An evaluation as one page that needs no other file."""

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import (
    class_report,
    confusion_pictures,
    eval_pictures,
    page,
    report,
    run_pictures,
    units,
)
from posevid_jax.evaluation.decision import Decision
from posevid_jax.evaluation.drawing import Picture
from posevid_jax.evaluation.findings import findings
from posevid_jax.evaluation.results import Assessment, Best, Epoch, Evaluation
from posevid_jax.evaluation.scores import BinaryScores, MulticlassScores
from posevid_jax.evaluation.table import Table

_ABOUT = (
    'Always positive is sure of the gesture in every clip, prior gives each clip the share of '
    'positives of the set. Numbers that are no better than theirs are worth nothing.'
)

_SHARES = 'Clips, and their share of those of the true class.'


def make(
    title: str,
    evaluation: Evaluation,
    clips: Clips,
    logits: np.ndarray,
    chosen: Decision,
    *,
    history: list[Epoch],
    best: Best | None,
    environment: list[tuple[str, str]],
    settings: list[tuple[str, str]],
) -> tuple[str, dict[str, Picture]]:
    """The page, and its pictures by name.

    Args:
      title: of the page.
      evaluation: of the clips.
      clips: the set.
      logits: `[N, K]`, before calibration.
      chosen: calibration and threshold of the run.
      history: one entry per epoch; empty where nothing was trained.
      best: of them; None where there is none.
      environment, settings: names and values, to be listed at the end.
    """
    record, scores = evaluation.assessment, evaluation.scores
    judged, label = chosen.judge(logits), clips.label
    probs = judged.probs
    pictures = {
        'curves': eval_pictures.curves(label, probs, record),
        'confusion': _confusion(record),
        'reliability': eval_pictures.reliability(record.calibration),
        'scores': eval_pictures.scores(label, probs, record),
        'hardest_clips': eval_pictures.hardest_clips(clips, judged),
    }
    if isinstance(scores, BinaryScores):
        pictures['thresholds'] = eval_pictures.sweep(label, probs[:, 1], scores)
    pictures['declining'] = eval_pictures.declining(label, judged)
    if history and best:
        pictures['learning'] = run_pictures.learning(history, best)
    pictures = {name: picture for name, picture in pictures.items() if picture}

    def figure(name: str, caption: str) -> str:
        return page.figure(pictures[name].svg, caption) if name in pictures else ''

    kinds = [(kind, f'{report.CALLED[kind]}: {text}') for kind, text in findings(evaluation)]
    one_per = 'video' if judged.two_classes else 'pair of classes'
    parts = [
        page.paragraph(report.opening(record)),
        page.findings(kinds or [('fine', 'Better than the trivial classifiers.')]),
        page.paragraph(units.WHY[record.unit.name]) if record.unit else '',
        report.headline(record).html(),
        page.paragraph(_ABOUT if judged.two_classes else ''),
        figure('curves', 'Dashed: chance, and the precision of saying yes to every clip.'),
        page.section('Classes') if record.by_class else '',
        *(table.html() for table in class_report.on_page(record.by_class)),
        figure('confusion', _SHARES if judged.two_classes else confusion_pictures.CAPTION),
        page.section('Calibration'),
        report.calibration_table(record.calibration).html(),
        figure('reliability', 'On the dashed line, what is said happens as often as it is said.'),
        figure('scores', 'Probabilities after calibration.'),
        page.section('Decision'),
        page.paragraph(_rule(record)),
        figure('thresholds', 'What other thresholds would have done to these clips.'),
        page.section('Where it fails'),
        figure(
            'hardest_clips',
            f'The wrong decisions that the model was most sure of, at most one per {one_per}.',
        ),
        report.coverage_table(record.coverage).html(),
        figure('declining', 'The same for any share of the clips.'),
        *(table.html() for table in report.group_tables(record.groups)),
        page.paragraph(report.not_grouped(record.not_grouped)),
        page.section('The run'),
        figure('learning', 'Training and validation by epoch.'),
        page.folded('Environment', Table('', ('', ''), environment).html()),
        page.folded('Configuration', Table('', ('key', 'value'), settings).html()),
    ]
    return page.page(title, parts), pictures


def _confusion(record: Assessment) -> Picture:
    names = record.class_names
    match record.scores:
        case BinaryScores(confusions=parts):
            return confusion_pictures.of_two_classes(parts, names)
        case MulticlassScores(confusion=counts):
            return confusion_pictures.of_several_classes(counts, names)


def _rule(record: Assessment) -> str:
    """How a clip's class is decided, and where that comes from."""
    match record.scores:
        case BinaryScores(at_threshold=at):
            return (
                f'The stored threshold: {record.threshold_rule}, chosen on {record.chosen_on}. '
                f'It is {record.stored_threshold:.4f} before calibration, '
                f'{at.threshold:.4f} after it.'
            )
        case _:
            return 'A clip is taken for its most probable class.'
