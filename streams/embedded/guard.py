"""Ends what a process started, however that process ends.

`python guard.py TOKEN` reads its standard input, a pipe whose other end the guarded process holds.
Each line is `+` or `-` and the id of a child that leads a process group.  At the end of the input
(the holder exited, crashed or was killed with SIGKILL) what is left of them is killed, and nothing
else: a Linux pidfd tells a child from a stranger that got its id later.  Then, on Linux, every
process that carries the token's variable in its environment: grandchildren, and a child whose
parent was killed before it could tell.  (Only those: redis-server overwrites its environment.)

A pipe and not PR_SET_PDEATHSIG: that fires when the *thread* that forked ends, and threads of a
pool do.  This file imports nothing of the package: it starts in 20 ms and takes 8 MB.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_ROUNDS: Final = 40  # x 50 ms: a process that is just being started is found by a later round
_QUIET_ROUNDS: Final = 3


def variable(token: str) -> str:
    """The environment variable that marks what is guarded.

    One for each token: what a guarded process guards itself carries both.
    """
    return f"GUARDED_BY_{token}"


def carriers(token: str) -> list[int]:
    """Ids of this user's processes whose environment holds the token's variable (Linux)."""
    wanted = f"{variable(token)}=".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # ended meanwhile, or another user's
                environment = (entry / "environ").read_bytes()
                if environment.startswith(wanted) or b"\0" + wanted in environment:
                    found.append(int(entry.name))
    return found


def _open(pid: int) -> int | None:
    """A pidfd; None where the system has none, -1 where the process is gone."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        return None if error.errno == errno.ENOSYS else -1


def _alive(handle: int | None) -> bool:
    if handle is None:
        return True
    try:
        signal.pidfd_send_signal(handle, 0)
    except OSError:
        return False
    return True


def _kill(kill: Callable[[int, int], None], target: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        kill(target, signal.SIGKILL)


def _kill_carriers(token: str) -> None:
    quiet = 0
    for _ in range(_ROUNDS):
        left = carriers(token)
        for pid in left:
            _kill(os.kill, pid)
        quiet = 0 if left else quiet + 1
        if quiet == _QUIET_ROUNDS:
            return
        time.sleep(0.05)


def main() -> None:
    """Wait for the end of standard input, then kill."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    children: dict[int, int | None] = {}
    for line in sys.stdin:
        pid = int(line[1:])
        if line.startswith("+"):
            children[pid] = _open(pid)
        elif handle := children.pop(pid, None):
            with suppress(OSError):
                os.close(handle)
    for pid, handle in children.items():
        if _alive(handle):
            _kill(os.killpg, pid)
    if Path("/proc/self/environ").exists():
        _kill_carriers(sys.argv[1])


if __name__ == "__main__":
    main()
