"""What was freed goes back to the system. glibc keeps it: an arena for each thread, and in each what once was large."""

import ctypes

ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1  # of mallopt(3)
OPTIONS = {
    ARENA_MAX: 2,  # Python's threads take turns anyway
    MMAP_THRESHOLD: 256 * 1024,  # a spooled upload, a long answer: of their own, and gone with their use
    TRIM_THRESHOLD: 8 * 1024 * 1024,
}


def give_back_memory() -> None:
    """For this process from here on; other C libraries do so by themselves, or know no such wish."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in OPTIONS.items():
            mallopt(option, value)
