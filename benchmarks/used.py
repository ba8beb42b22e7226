"""Start a command and say what it used: `python -I -S used.py OUT COMMAND…` prints seconds, kilobytes, exit code.

Until a process runs a program of its own it counts the memory of the one that started it. So the command is started by
this one, which is as small as a Python can be, and not by a benchmark that holds thousands of responses.
"""

from __future__ import annotations

import os
import resource
import sys


def main(out: str, *command: str) -> None:
    """Run a command with its output in a file; print its CPU seconds, its peak memory and its exit code."""
    child = os.fork()
    if not child:
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.execv(command[0], command)
    _, ended = os.waitpid(child, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss
    print(used.ru_utime + used.ru_stime, peak, os.waitstatus_to_exitcode(ended))


if __name__ == "__main__":
    main(*sys.argv[1:])
