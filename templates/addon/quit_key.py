"""The key `q` of the TUI."""

import sys

from mitmproxy import ctx

from . import contract, interface


class QuitKey:
    """Lets mittens give the Service back before mitmproxy ends.

    It tells the viewer by the title of the terminal, and goes on until Kubernetes ends the container.
    """

    name = "mittens-quit-key"

    def running(self) -> None:
        if interface.has_tui():
            ctx.master.shutdown = self.quit  # type: ignore[method-assign]

    def quit(self) -> None:
        from mitmproxy.tools.console import signals

        # The title is for tmux. The end of a line flushes it into the log of the container; at the top of the screen
        # it scrolls nothing.
        sys.stdout.write(f"\033]2;{contract.QUIT_TITLE}\007\0337\033[H\n\0338")
        sys.stdout.flush()
        signals.status_message.send(message="Giving the Service back ...", expire=120)
