"""Start a command and say what it used: `python -I -S used.py OUT COMMAND…` prints seconds, kilobytes, exit code.

Until a process runs a program of its own it counts the memory of the one that started it. So the command is started by
this one, which is as small as a Python can be, and not by a benchmark that holds thousands of responses. What the
command starts and leaves behind (the servers of an engine) is waited for and counts too, where the system is Linux.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h


def main(out: str, *command: str) -> None:
    """Run a command with its output in a file; print its CPU seconds, its peak memory and its exit code."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    child = os.fork()
    if not child:
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.execv(command[0], command)
    code = 0
    try:
        while True:
            ended, status = os.wait()
            code = os.waitstatus_to_exitcode(status) if ended == child else code
    except ChildProcessError:  # there is none left
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss
    print(used.ru_utime + used.ru_stime, peak, code)


if __name__ == "__main__":
    main(*sys.argv[1:])
