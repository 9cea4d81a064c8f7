"""How the process gets its memory from the operating system."""

import ctypes
import platform

# Numbers of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Lets the next step have the memory of the last one, where malloc is glibc's.

    A step on CPUs frees its working memory at its end. In pieces of that size glibc hands it back
    to the system, which gives it out again a page at a time, each a page fault and zeroed: 36,000
    of them in a step of configs/video_swin.py:legacy at 16 clips, an eighth of its time on the
    machine of docs/video_swin_speed.md. One arena for all threads, since only that one grows past
    64 MB without mmap.

    To be called before other threads allocate.
    """
    if platform.libc_ver()[0] != 'glibc':
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, _NEVER)
    mallopt(_M_ARENA_MAX, 1)
