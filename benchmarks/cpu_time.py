"""Processor time of the processes of a benchmark, from /proc. Other programs do not change it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Places behind the name in /proc/PID/stat: parent; user and system time, own and of ended children.
_PARENT, _OWN, _ENDED = 1, slice(11, 13), slice(13, 15)


def cpu_seconds(root: int) -> float:
    """Processor time of a process and all its children, ended ones included, in seconds."""
    stats = {
        int(folder.name): fields
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and (fields := _fields(folder))
    }
    family, before = {root}, 0
    while len(family) > before:
        before = len(family)
        family |= {pid for pid, fields in stats.items() if int(fields[_PARENT]) in family}
    return sum(_seconds(stats[pid]) for pid in family if pid in stats)


def _fields(folder: Path) -> list[str]:
    try:
        # The name in brackets may have blanks.
        return (folder / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []  # It ended meanwhile.


def _seconds(fields: list[str]) -> float:
    return sum(map(int, fields[_OWN] + fields[_ENDED])) / _TICKS
