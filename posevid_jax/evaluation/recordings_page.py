"""What was found in recordings as one page, that with the most need of a look first."""

import dataclasses
from collections.abc import Mapping

from posevid_jax.evaluation import page, segmentation_report
from posevid_jax.evaluation.segmentation_results import RecordingEvents, Segmentation
from posevid_jax.evaluation.table import number

_MOST = 100  # timelines on the page, which a browser still shows at once

_TIMELINE = (
    'The curve is the probability of the gesture, dashed lines are the thresholds of events. Bars '
    'below it: events that were found, labelled ones, and where the person is not seen well '
    'enough. Of several gestures, each has a colour.'
)
_DOUBT = (
    'Those come first of which most seconds are in doubt: the sum, over all frames, of one minus '
    'the probability of what was found there. So many are wrong if the probabilities are right.'
)
_MEASURES = (
    'An event is matched if the intersection of it and a labelled event of its class is at least '
    'the given share (overlap, @) of their union; F1, precision and recall are of such matches, '
    'over all recordings. Edit compares the order of events alone, 100 being best. Frames without '
    'a label are neither right nor wrong. Starts and ends: by how many seconds matched events are '
    'late (median), and how far off half (off by) and 90 % of them are at most.'
)


@dataclasses.dataclass(frozen=True)
class Shown:
    """A recording on the page.

    Attributes:
      timeline: `<svg ...>` text.
      doubt: seconds that are expected to be wrong, by the probabilities.
      review: address of the page on which it is corrected, '' without one.
    """

    timeline: str
    doubt: float
    review: str = ''


def make(
    title: str,
    opening: str,
    recordings: Mapping[str, Shown],
    ways: Mapping[str, Segmentation] | None,
) -> str:
    """The page.

    Args:
      title: of the page.
      opening: what was found, in a sentence.
      recordings: by name.
      ways: what was found first, and then trivial answers; None without labels.
    """
    parts = [page.paragraph(opening)]
    doubtful = sorted(recordings, key=lambda name: -recordings[name].doubt)
    captions = {
        name: f'{name}: {recordings[name].doubt:.1f} seconds in doubt.' for name in doubtful
    }
    if ways:
        found = next(iter(ways.values()))
        worst = segmentation_report.worst_first(found)
        captions = {of.name: _caption(of, found) for of in worst} | {
            name: f'{captions[name]} No labels.'
            for name in doubtful
            if name not in {of.name for of in worst}
        }
        parts += [
            page.findings(_findings(ways)),
            page.section('How well events were found'),
            segmentation_report.table(
                f'All recordings{segmentation_report.drawn(found)}', ways
            ).html(),
            page.paragraph(_MEASURES),
            segmentation_report.overlap_table(found).html(),
            *(
                [segmentation_report.class_table(found, found.classes).html()]
                if len(found.classes) > 1
                else []
            ),
            page.section('Recordings, the worst first'),
            page.folded(
                'All recordings as a table',
                segmentation_report.recording_table(found, worst).html(),
            ),
        ]
    else:
        parts += [page.section('Recordings, the most doubtful first'), page.paragraph(_DOUBT)]
    parts.append(page.paragraph(_TIMELINE))
    shown = list(captions)[:_MOST]
    links = {
        name: page.link(f'Review {name}', of.review) for name, of in recordings.items() if of.review
    }
    parts += [
        page.figure(recordings[name].timeline, captions[name], links.get(name, ''))
        for name in shown
    ]
    if len(captions) > _MOST:
        parts.append(page.paragraph(f'{len(captions) - _MOST} more are in the folder timelines.'))
        parts += [links[name] for name in list(captions)[_MOST:] if name in links]
    return page.page(title, parts)


def _findings(ways: Mapping[str, Segmentation]) -> list[tuple[str, str]]:
    """Whether what was found is better than the trivial answers."""
    (_, found), *trivial = ways.items()
    name = f'f1@{found.overlaps[segmentation_report.middle(found)]:g}'
    ours = found.numbers[name] or 0.0
    no_better = [
        f'{other!r} ({theirs:.3f})'
        for other, of in trivial
        if (theirs := of.numbers[name] or 0.0) >= ours
    ]
    called = name.replace('f1', 'F1')
    if no_better:
        return [('alarm', f'WARNING: {called}, {ours:.3f}, is no better than {no_better[0]}')]
    return [('fine', f'{called}, {ours:.3f}, is better than that of the trivial answers.')]


def _caption(one: RecordingEvents, found: Segmentation) -> str:
    """How well one recording was done, in a sentence."""
    o = segmentation_report.middle(found)
    numbers = (
        (f'F1@{found.overlaps[o]:g}', number(one.f1[o], '.3f', none='-')),
        ('edit', number(one.edit, '.1f', none='-')),
        ('frame accuracy', number(one.frame_accuracy, '.3f', none='-')),
    )
    counts = f'{one.true_events} labelled, {one.found_events} found, {one.matched[o]} matched'
    return f'{one.name}: events {counts}; {", ".join(" ".join(of) for of in numbers)}.'
