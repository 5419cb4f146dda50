"""Why mitmproxy could not load a script."""

import atexit
import logging
import os
import sys
import traceback
from collections.abc import Sequence

from mitmproxy import ctx

MAX_MESSAGE = 500


class ScriptError(logging.Handler):
    """Repeats the error that ended mitmproxy's start as the last line of its log.

    mitmproxy logs a traceback of many lines. mittens shows the user the last three: scripts/lib/kube/rollout.ts.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.name = "mittens-script-error"
        self.error: BaseException | None = None
        logging.getLogger().addHandler(self)
        atexit.register(self.print_error)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and not self.error:
            self.error = record.exc_info[1]

    def print_error(self) -> None:
        if self.error and is_starting():
            print(describe(self.error, ctx.options.scripts), file=sys.stderr, flush=True)


def is_starting() -> bool:
    """Whether an error would still end mitmproxy: its addon for that listens until the start is over."""
    check = ctx.master.addons.get("errorcheck")
    return check is not None and check.logger in logging.getLogger().handlers


def describe(error: BaseException, scripts: Sequence[str]) -> str:
    """An error in one line: the name of the script, the line in it, the error."""
    message = " ".join(str(error).split())
    file: str | None = None
    line: int | None = None
    if isinstance(error, SyntaxError):
        file, line, message = error.filename, error.lineno, error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        # What the script has called may lie deeper.
        for frame in [frame for frame in frames if frame.filename in scripts] or frames:
            file, line = frame.filename, frame.lineno
    place = f"{os.path.basename(file)}, line {line}: " if file else ""
    return f"{place}{type(error).__name__}: {message}"[:MAX_MESSAGE]
