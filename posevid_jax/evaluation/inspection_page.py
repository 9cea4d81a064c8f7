"""Some sets of clips as one page that needs no other file."""

from collections.abc import Callable

from posevid_jax.evaluation import page, set_pictures, set_tables
from posevid_jax.evaluation.inspection import CALLED, Inspection, findings

_MOST_FOOTAGE = 3  # pairs of videos drawn for each comparison


def make(seen: Inspection, done: Callable[[str], None]) -> str:
    """The page.

    Args:
      seen: what was found.
      done: called after each set that was drawn.
    """
    parts = [*_opening(seen), *_common_footage(seen)]
    for number, name in enumerate(seen.names):
        parts += _one_set(seen, number)
        done(f'drew {name}')
    return page.page(f'Clips of {", ".join(seen.names)}', parts)


def _opening(seen: Inspection) -> list[str]:
    missing = set_pictures.missing(seen.names, seen.summaries)
    return [
        page.findings(
            [(kind, f'{CALLED[kind]}: {sentence}') for kind, sentence in findings(seen)]
            or [('fine', 'Nothing odd found.')]
        ),
        page.section('The sets'),
        set_tables.facts(seen).html(),
        set_tables.classes(seen).html(),
        page.figure(
            set_pictures.overview(seen.names, seen.sets, seen.summaries),
            'Heights are shares of the clips of a set (of its videos, for clips per video).',
        ),
        page.figure(missing, 'Missing share of each feature and joint.') if missing else '',
    ]


def _common_footage(seen: Inspection) -> list[str]:
    table = set_tables.footage(seen)
    if table is None:
        return []
    parts = [page.section('Common footage'), page.paragraph(set_tables.ABOUT_FOOTAGE), table.html()]
    for shared in seen.shared:
        for same in shared.found[:_MOST_FOOTAGE]:
            titles = [set_tables.video_name(seen, shared, same, side) for side in (0, 1)]
            picture = set_pictures.footage_strips([seen.sets[s] for s in shared.sets], same, titles)
            if picture:
                parts.append(page.figure(picture, f'{" and ".join(titles)} at the same moments.'))
    return parts


def _one_set(seen: Inspection, number: int) -> list[str]:
    name, clips, numbers = seen.names[number], seen.sets[number], seen.summaries[number]
    strips, histograms = set_pictures.class_strips(clips), set_pictures.histograms(clips)
    parts = [page.section(name)]
    if strips:
        parts.append(page.figure(strips, 'Two clips of each class, with the fewest gaps.'))
    if histograms:
        caption = 'Features by class, from their 5th to their 95th percentile.'
        parts.append(page.figure(histograms, caption))
    if numbers.features:
        parts.append(set_tables.features(name, numbers).html())
    if numbers.joints:
        parts.append(set_tables.joints(name, numbers).html())
    return parts
