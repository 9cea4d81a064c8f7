"""Where a classifier fails on videos it never saw, as one page that needs no other file."""

from collections.abc import Sequence

from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import (
    class_report,
    confusion_pictures,
    eval_pictures,
    metrics,
    page,
    report,
    units,
)
from posevid_jax.evaluation.confusion import Confusion
from posevid_jax.evaluation.cv_results import ErrorAnalysis, Mistake
from posevid_jax.evaluation.decision import Judged
from posevid_jax.evaluation.drawing import Picture, color, short
from posevid_jax.evaluation.skeleton_strips import draw_strips, strip_of

_ABOUT = (
    'Every clip was judged by classifiers that never saw its video, and decided by a threshold '
    '({rule}) and a calibration that were fitted to the other folds.'
)
_ABOUT_GROUPS = (
    'Body size: width of the shoulders in heights of the picture. Share of gesture frames: of the '
    'labelled frames of a clip; where all clips of a group have one label, only the share that it '
    'said yes to means something. Precision, recall, F1 and FPR as decided; FPR at recall: the '
    "lowest that reaches a recall of {recall:g} inside the group, by the group's own threshold."
)
_ABOUT_SEVERAL = (
    'Every clip was judged by classifiers that never saw its video, and taken for the most '
    'probable class, by a calibration that was fitted to the other folds.'
)
_ABOUT_GROUPS_SEVERAL = (
    'Body size: width of the shoulders in heights of the picture. Accuracy: the share of clips '
    'taken for what they are. The other numbers are averages over the classes of a group.'
)
_ABOUT_CERTAINTY = (
    'Certainty is how far the calibrated log-odds of a clip are from those at which it would have '
    'been decided otherwise. Equally certain clips are kept or declined together.'
)


def make(
    title: str, found: ErrorAnalysis, clips: Clips, judged: Judged
) -> tuple[str, dict[str, Picture]]:
    """The page, and its pictures by name.

    Args:
      title: of the page.
      found: from `error_analysis.find`, of the clips.
      clips: the set.
      judged: what was said of it.
    """
    pictures = {'declining': eval_pictures.declining(clips.label, judged)}
    if found.confusion:
        counts = found.confusion
        pictures['confusion'] = confusion_pictures.of_several_classes(counts, clips.class_names)
    strips = _errors(found.errors, clips)
    if strips:
        pictures['errors'] = strips
    groups = {table.title: table.html() for table in report.group_tables(found.groups)}
    videos = groups.pop('by video', '')
    caption = 'As in the table; coloured by the class that it is.'
    unit = units.of(clips)
    about = _ABOUT if judged.two_classes else _ABOUT_SEVERAL
    about_groups = _ABOUT_GROUPS if judged.two_classes else _ABOUT_GROUPS_SEVERAL
    parts = [
        page.paragraph(about.format(rule=found.rule)),
        page.paragraph(units.WHY[unit.name]) if unit else '',
        *(_classes(found.by_class, pictures['confusion'], clips, judged) if found.by_class else []),
        page.section('Declining'),
        page.paragraph(_ABOUT_CERTAINTY),
        report.coverage_table(found.coverage).html(),
        page.figure(pictures['declining'].svg, 'The same for any share of the clips.'),
        page.section('Groups'),
        page.paragraph(about_groups.format(recall=found.recall)),
        page.paragraph(report.not_grouped(found.not_grouped)),
        *groups.values(),
        page.folded('Videos', videos) if videos else '',
        page.section('The surest mistakes'),
        report.errors_table(found).html(),
        page.figure(strips.svg, caption) if strips else '',
    ]
    return page.page(title, parts), pictures


def _classes(found: Confusion, picture: Picture, clips: Clips, judged: Judged) -> list[str]:
    """Which classes fail, and which are taken for which."""
    scores = metrics.multiclass_scores(clips.label, judged.probs)
    return [
        page.section('Classes'),
        page.paragraph(class_report.overall(scores)),
        *(table.html() for table in class_report.on_page(found)),
        page.figure(picture.svg, confusion_pictures.CAPTION),
    ]


def _errors(errors: Sequence[Mistake], clips: Clips) -> Picture | None:
    """The wrong decisions as bodies; None without a skeleton, or without a mistake."""
    if clips.skeleton is None:
        return None
    strips = []
    for error in errors:
        said, fold, video = f'{error.probability:.2f}', f'fold {error.fold}', short(error.video, 9)
        lines = [f'{error.row}: is {short(error.label, 12)}']
        if clips.num_classes == 2:
            lines += [f'said {said}, {fold}', f'video {video}']
        else:
            lines += [f'said {short(error.decided, 12)} {said}', f'{fold}, video {video}']
        shade = color(clips.class_names.index(error.label))
        strips.append(strip_of('\n'.join(lines), clips, error.row, shade))
    return draw_strips(strips, png=True)
