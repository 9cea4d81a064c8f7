"""Mode inspect: what is in some sets of clips, and what they have in common, before training."""

import itertools
import pathlib
from collections.abc import Callable, Sequence

import tqdm
from ml_collections import ConfigDict

from posevid_jax.data import leakage, source, summary
from posevid_jax.errors import InputError
from posevid_jax.evaluation import page, set_pictures, set_tables
from posevid_jax.evaluation.set_tables import Inspection, Shared
from posevid_jax.runs.directory import new_run_directory
from posevid_jax.runs.files import write_text

_CALLED = {'alarm': 'LEAK', 'care': 'note'}
_MOST_FOOTAGE = 3  # pairs of videos drawn for each comparison


def inspect(
    config: ConfigDict, paths: Sequence[str], workdir: pathlib.Path | None
) -> list[tuple[str, str]]:
    """Reads the sets, compares their content, prints tables and writes `inspect.html`.

    Args:
      config: the whole configuration; `data` says how archives are read.
      paths: archives or folders of clips, or `synthetic`.
      workdir: where the page goes; None makes a new numbered directory.

    Returns:
      `set_tables.findings`.

    Raises:
      InputError: no path, the same one twice, or one that cannot be read; nothing is written then.
    """
    names = _names(paths)
    steps = 2 * len(paths) + len(paths) * (len(paths) + 1) // 2
    with tqdm.tqdm(total=steps, leave=False, disable=None) as bar:

        def done(what: str) -> None:
            bar.set_postfix_str(what, refresh=False)
            bar.update()

        seen = _look(config, names, paths, done)
        found = set_tables.findings(seen)
        parts = [*_opening(seen, found), *_common_footage(seen)]
        for number, name in enumerate(names):
            parts += _one_set(seen, number)
            done(f'drew {name}')
    if workdir is None:
        workdir = new_run_directory(pathlib.Path('runs') / 'inspect')
    path = workdir / 'inspect.html'
    write_text(path, page.page(f'Clips of {", ".join(names)}', parts))
    _print(seen, found)
    print(page.printable(str(path)))
    return found


def _names(paths: Sequence[str]) -> list[str]:
    """Short names of the sets, the paths themselves where those are equal."""
    if not paths:
        raise InputError('--mode=inspect: found no path, expected archives or folders of clips')
    resolved: dict[pathlib.Path, str] = {}
    for path in paths:
        before = resolved.setdefault(pathlib.Path(path).resolve(), path)
        if before is not path:
            raise InputError(f'{path}: found a second time ({before}), expected different sets')
    names = [source.set_name(path) for path in paths]
    return names if len(set(names)) == len(names) else list(paths)


def _look(
    config: ConfigDict, names: list[str], paths: Sequence[str], done: Callable[[str], None]
) -> Inspection:
    """Everything there is to find; calls `done` after each part."""
    sets, summaries, shared = [], [], []
    for name, path in zip(names, paths, strict=True):
        clips = source.load(path, config.data).in_memory()
        infinite = {} if path == source.SYNTHETIC else summary.infinite_values(path)
        sets.append(clips)
        summaries.append(summary.summarise(clips, infinite))
        done(f'read {name}')
    for pair in itertools.combinations_with_replacement(range(len(sets)), 2):
        some = sorted(set(pair))
        shared.append(Shared(pair, *leakage.find_same_footage([sets[s] for s in some])))
        done(f'compared {" and ".join(names[s] for s in some)}')
    return Inspection(names, sets, summaries, shared, leakage.identical_clips(sets))


def _print(seen: Inspection, found: list[tuple[str, str]]) -> None:
    tables = [set_tables.facts(seen), set_tables.classes(seen)]
    tables += map(set_tables.features, seen.names, seen.summaries)
    tables.append(set_tables.footage(seen))
    for table in tables:
        if table is not None and table.rows:
            print('\n'.join(table.lines()), end='\n\n')
    for kind, sentence in found:
        print(f'{_CALLED[kind]}: {page.printable(sentence)}')


def _opening(seen: Inspection, found: list[tuple[str, str]]) -> list[str]:
    missing = set_pictures.missing(seen.names, seen.summaries)
    return [
        page.findings(
            [(kind, f'{_CALLED[kind]}: {sentence}') for kind, sentence in found]
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
