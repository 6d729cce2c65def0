"""Child processes that cannot outlive their parent."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final, Self
from uuid import uuid4

from streams.embedded import guard
from streams.errors import UserError

_TAIL_BYTES: Final = 8192
_PROBE_SECONDS: Final = 0.05


class _Guard:
    """This process's one `guard.py`, started with the first child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._process: subprocess.Popen[str] | None = None
        self.token = ""

    def ensure(self) -> str:
        """The variable that children have to carry; starts the guard where there is none."""
        with self._lock:
            # After a fork the pipe is the parent's: the new process needs a guard of its own.
            if (
                self._process is None
                or self._owner != os.getpid()
                or self._process.poll() is not None
            ):
                self.token = uuid4().hex
                self._owner = os.getpid()
                self._process = subprocess.Popen(  # noqa: S603 - this package's own file
                    [sys.executable, "-I", "-S", str(Path(guard.__file__)), self.token],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    start_new_session=True,
                )
                atexit.register(self._close, self._process)
            return guard.variable(self.token)

    @staticmethod
    def _close(process: subprocess.Popen[str]) -> None:
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)

    def tell(self, line: str) -> None:
        with self._lock, suppress(OSError, ValueError):
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()


_guard: Final = _Guard()


@contextmanager
def _signals_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until a child that is being started is known.

    Handlers are swapped and not masked: a child would inherit the mask.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    swapped = {n: handler for n, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    for number in swapped:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in swapped.items():
            signal.signal(number, handler)
        for caught in held:
            signal.raise_signal(caught)


class Child:
    """A process in a group of its own; its output goes to a log file.

    It gets no Ctrl-C from the terminal (the parent decides when it ends) and dies with the parent.
    `start` may be called again after `stop` or `kill`; the log is then continued.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        grace: float = 10.0,
    ) -> None:
        """`env` is the whole environment (default: this process's); `grace` in seconds."""
        self.name = name
        self.argv = [str(part) for part in argv]
        self.log = log
        self.env = env
        self.cwd = cwd
        self.grace = grace
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process's id; RuntimeError before `start`."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status (negative: by that signal), or None while it runs or was not started."""
        if self._process is None:
            return None
        status = self._process.poll()
        if status is not None:
            _guard.tell(f"-{self._process.pid}")
        return status

    @property
    def running(self) -> bool:
        return self._process is not None and self.returncode is None

    def start(self) -> Self:
        """Start the process; UserError where the program cannot be run."""
        if self.running:
            raise RuntimeError(f"{self.name} runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        marker = _guard.ensure()
        environment = {**(os.environ if self.env is None else self.env), marker: "1"}
        with self.log.open("ab") as output, _signals_held():
            try:
                self._process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=self.cwd,
                    start_new_session=True,
                )
            except OSError as error:
                raise UserError(
                    f"{self.name}: cannot run {self.argv[0]}: {error.strerror}"
                ) from error
            _guard.tell(f"+{self._process.pid}")
        return self

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it ends; `subprocess.TimeoutExpired` after `timeout` seconds."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        status = self._process.wait(timeout)
        _guard.tell(f"-{self._process.pid}")
        return status

    def wait_ready(self, ready: Callable[[], bool], timeout: float = 60.0) -> None:
        """Wait until `ready()` is true; UserError with the log's end if it ends or takes longer."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.running:
                raise UserError(
                    f"{self.name} ended at once (status {self.returncode}): {self._why()}"
                )
            if time.monotonic() > deadline:
                raise UserError(f"{self.name} is not ready after {timeout:.0f} s: {self._why()}")
            time.sleep(_PROBE_SECONDS)

    def signal(self, number: int) -> None:
        """Send a signal to the process, if it runs."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def stop(self, grace: float | None = None) -> int | None:
        """SIGTERM, and SIGKILL for the whole group after `grace` seconds; the exit status."""
        if not self.running:
            return self.returncode
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a stopped process would not see it
        try:
            return self.wait(self.grace if grace is None else grace)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int | None:
        """SIGKILL to the process and its group; the exit status."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            return self.wait()
        return self.returncode

    def log_tail(self, lines: int = 10) -> str:
        """The last lines of its log; empty where there is none."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.strip().splitlines()[-lines:])

    def _why(self) -> str:
        tail = [line.strip() for line in self.log_tail(3).splitlines() if line.strip()]
        return f"{' / '.join(tail) or 'it wrote nothing'} (log: {self.log})"
