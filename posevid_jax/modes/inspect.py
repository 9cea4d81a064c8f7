"""Mode inspect: what is in some sets of clips, and what they have in common, before training."""

import pathlib
from collections.abc import Sequence

import tqdm
from ml_collections import ConfigDict

from posevid_jax.data import source, summary
from posevid_jax.errors import InputError
from posevid_jax.evaluation import config_advice, inspection, inspection_page, set_tables
from posevid_jax.evaluation.prepare_report import read_back
from posevid_jax.evaluation.table import printable
from posevid_jax.runs.directory import new_run_directory
from posevid_jax.runs.files import write_text


def inspect(
    config: ConfigDict, paths: Sequence[str], workdir: pathlib.Path | None
) -> list[tuple[str, str]]:
    """Reads the sets, compares their content, prints tables and writes `inspect.html`.

    Args:
      config: the whole configuration; `data` says how archives are read.
      paths: archives or folders of clips, or `synthetic`.
      workdir: where the page goes; None makes a new numbered directory.

    Returns:
      `inspection.findings`.

    Raises:
      InputError: no path, the same one twice, or one that cannot be read; nothing is written then.
    """
    names = _names(paths)
    prepared = {name: read_back(path) for name, path in zip(names, paths, strict=True)}
    steps = 3 * len(paths) + len(paths) * (len(paths) + 1) // 2
    with tqdm.tqdm(total=steps, leave=False, disable=None) as bar:

        def done(what: str) -> None:
            bar.set_postfix_str(what, refresh=False)
            bar.update()

        sets, infinite = {}, {}
        for name, path in zip(names, paths, strict=True):
            sets[name] = source.load(path, config.data).in_memory()
            infinite[name] = {} if path == source.SYNTHETIC else summary.infinite_values(path)
            done(f'read {name}')
        seen = inspection.inspect(sets, infinite, done)
        text = inspection_page.make(seen, done)
    path = (workdir or new_run_directory(pathlib.Path('runs') / 'inspect')) / 'inspect.html'
    write_text(path, text)
    for name, of_path in prepared.items():
        for line in of_path:
            print(printable(f'{name}: {line}'))
    for table in set_tables.on_screen(seen):
        print('\n'.join(table.lines()), end='\n\n')
    for name, clips in zip(seen.names, seen.sets, strict=True):
        print(printable(config_advice.line(name, clips)))
    found = inspection.findings(seen)
    for kind, sentence in found:
        print(f'{inspection.CALLED[kind]}: {printable(sentence)}')
    print(printable(str(path)))
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
