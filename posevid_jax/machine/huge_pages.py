"""Working memory in huge pages, of 2 MiB instead of 4 KiB each.

XLA frees the working memory of a training step at its end, glibc gives it back to the system, and
the next step touches all of it for the first time again. In small pages that is a page fault per
4 KiB, up to a quarter of a step on a CPU (docs/video_swin_speed.md). Where Linux leaves the choice
to programs, glibc 2.35 and newer takes huge pages when asked to, but reads its settings once,
before `main`: so the program asks by starting itself anew.
"""

import os
import pathlib
import sys

_TUNABLES = 'GLIBC_TUNABLES'
_LEFT_TO_PROGRAMS = '[madvise]'
_DEBUGGERS = {'bdb', 'pydevd'}  # the modules of pdb and IPython, of PyCharm and Visual Studio Code
_SETTING = pathlib.Path('/sys/kernel/mm/transparent_hugepage/enabled')


def restart(setting: pathlib.Path = _SETTING) -> None:
    """Starts this program anew, in huge pages, or returns if there is nothing to be gained.

    The process, its arguments, its standard input and output stay the same. Call it before imports
    that take long. It returns at once where `GLIBC_TUNABLES` is set, even to nothing, as it is
    after the restart; and in a debugger, which would lose the process that it watches.

    Args:
      setting: the file in which Linux says who may have huge pages.
    """
    if _TUNABLES in os.environ or _DEBUGGERS & sys.modules.keys() or not sys.executable:
        return
    try:
        if _LEFT_TO_PROGRAMS in setting.read_text(encoding='ascii'):
            environment = os.environ | {_TUNABLES: 'glibc.malloc.hugetlb=1'}
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
    except OSError:
        return  # no such setting, as on macOS, or no restart: small pages work too
