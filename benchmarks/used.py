"""Start a command and say what it used: `python -I -S used.py wait OUT COMMAND…` prints seconds, kilobytes, exit code.

Until a process runs a program of its own it counts the memory of the one that started it. So the command is started by
this one, which is as small as a Python can be, and not by a benchmark that holds thousands of responses. What the
command starts and leaves behind (the servers of an engine) is waited for and counts too, where the system is Linux.

With `watch` in place of `wait` it also looks what time each process has had, several times a second (Linux only). That
is for Spark: nobody waits for its Python workers, and the system forgets the time of a process that nobody waits for.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import time
from contextlib import suppress

_OFTEN = 0.1
_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h


def main(how: str, out: str, *command: str) -> None:
    """Run a command with its output in a file; print its CPU seconds, its peak memory and its exit code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    child = os.fork()
    if not child:
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.execv(command[0], command)
    code, seen = 0, dict[tuple[str, str], float]()
    try:
        while True:
            if how == "watch":
                _look(str(os.getpid()), seen)
                time.sleep(_OFTEN)
            ended, status = os.waitpid(-1, os.WNOHANG if how == "watch" else 0)
            code = os.waitstatus_to_exitcode(status) if ended == child else code
    except ChildProcessError:  # there is none left
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss
    print(max(used.ru_utime + used.ru_stime, sum(seen.values())), peak, code)


def _look(parent: str, seen: dict[tuple[str, str], float]) -> None:
    """Note how many CPU seconds each process below one has had, by its number and when it began."""
    with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
        for thread in os.listdir(f"/proc/{parent}/task"):  # noqa: PTH208 - as small as a Python can be
            for child in _read(f"/proc/{parent}/task/{thread}/children").split():
                fields = _read(f"/proc/{child}/stat").rpartition(")")[2].split()  # proc_pid_stat(5), from the third on
                if fields:
                    seen[child, fields[19]] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
                    _look(child, seen)


def _read(file: str) -> str:
    """Return what the system says in a file; nothing, where what it is about has just ended."""
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:  # noqa: PTH123 - as above
            return opened.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
