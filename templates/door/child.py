"""The child: mitmproxy, which may die, hang or fill its memory, and is started again."""

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from addon import contract

from .loop import Loop

# How long to wait before it is started again, in s: twice as long each time, until one has run for WELL.
FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0
WELL = 30.0

# The door's own share of the container's memory, in bytes.
RESERVE = 64 * 1024 * 1024
# The limit of this container, in cgroup v2 and v1.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# What v1 has in place of no limit is a number larger than any memory.
NO_LIMIT = 1 << 60

# The kernel ends the child before the door when memory is short, and gives the door the CPU first; `ulimit -d` is
# RLIMIT_DATA, in KiB.
BEGIN = """echo 1000 2>/dev/null >/proc/self/oom_score_adj
[ "$0" -gt 0 ] && ulimit -d "$0" 2>/dev/null
exec nice -n 10 "$@"
"""
# What the door does not hear of, the child does: Python ignores SIGPIPE.
DEFAULTS = (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1)


class Child:
    """Starts the child with two sockets, and again when it has ended."""

    def __init__(
        self,
        loop: Loop,
        command: list[str],
        on_start: Callable[[socket.socket, socket.socket], None],
        on_end: Callable[[int], None],
    ) -> None:
        """@param on_start: gets the door's ends of the copies and of the control.
        @param on_end: gets the exit code, or the negative number of the signal.
        """
        self._loop = loop
        self._command = command
        self._on_start = on_start
        self._on_end = on_end
        self._wait = FIRST_WAIT
        self.pid: int | None = None
        self.restarts = 0
        self.has_started = False
        # Whether it is started again.
        self.is_kept = True
        loop.on_signal(signal.SIGCHLD, self._reap)

    def start(self) -> None:
        """Starts it; later if that can't be done now."""
        self.has_started = True
        with contextlib.ExitStack() as childs_ends, contextlib.ExitStack() as ours:
            try:
                copies, child_copies = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
                ours.push(copies)
                childs_ends.push(child_copies)
                control, child_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                ours.push(control)
                childs_ends.push(child_control)
                pid = self.pid = self._spawn(child_copies, child_control)
            except OSError:  # No descriptor, process or memory is left.
                self._start_later()
                return
            ours.pop_all()
        self._loop.after(WELL, lambda: self._note_well(pid))
        self._on_start(copies, control)

    def kill(self) -> None:
        """Ends it at once."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _spawn(self, copies: socket.socket, control: socket.socket) -> int:
        for sock in (copies, control):
            sock.set_inheritable(True)
        env = {
            **os.environ,
            contract.COPIES: str(copies.fileno()),
            contract.CONTROL: str(control.fileno()),
        }
        memory = memory_limit()
        argv = ["sh", "-c", BEGIN, str(memory // 1024 if memory else 0), *self._command]
        return os.posix_spawn("/bin/sh", argv, env, setsigdef=DEFAULTS)

    def _note_well(self, pid: int) -> None:
        if self.pid == pid:
            self._wait = FIRST_WAIT

    def _reap(self) -> None:
        """The first process of a container inherits all whose parents have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.pid = None
                self._on_end(os.waitstatus_to_exitcode(status))
                self._start_later()

    def _start_later(self) -> None:
        self._loop.after(self._wait, self._start_again)
        self._wait = min(self._wait * 2, LONGEST_WAIT)

    def _start_again(self) -> None:
        if self.is_kept:
            self.restarts += 1
            self.start()


def memory_limit(files: tuple[Path, ...] = LIMITS) -> int | None:
    """How much the child may have, in bytes: what the container has without the door's share; None without a limit."""
    for file in files:
        try:
            limit = int(file.read_text())
        except (OSError, ValueError):  # No such cgroup, or "max".
            continue
        if limit < NO_LIMIT:
            return max(limit - RESERVE, limit // 2)
    return None
