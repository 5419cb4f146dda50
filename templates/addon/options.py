"""mitmproxy's options: ours, and those that follow from others."""

from typing import Any, Optional

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader

from . import contract


class Options:
    name = "mittens-options"

    def load(self, loader: Loader) -> None:
        loader.add_option(contract.PORTS_OPTION, str, "", "LISTEN=PROTOCOL:APPPORT, separated by commas.")
        # mitmproxy knows no other spelling of the type.
        limit: Any = Optional[int]  # noqa: UP045
        loader.add_option(contract.BODY_LIMIT_OPTION, limit, None, "How many bytes of a body are written.")
        loader.add_option(contract.FORWARDED_OPTION, bool, False, "Adds X-Forwarded-For and -Proto to requests.")
        loader.add_option(
            contract.WEB_TOKEN_OPTION, str, "", "What opens mitmweb's page: http://127.0.0.1:PORT/?token=TOKEN"
        )

    def running(self) -> None:
        wanted: dict[str, Any] = {}
        if ctx.options.server_replay:
            # What was recorded elsewhere has another host than localhost.
            wanted.update(server_replay_reuse=True, server_replay_ignore_host=True)
        if web_token():
            # Before 11.1.2 mitmweb asks for no password.
            wanted.update(web_open_browser=False, web_password=web_token())
        ctx.options.update(**{name: value for name, value in wanted.items() if name in ctx.options})


def body_limit() -> int | None:
    limit: int | None = getattr(ctx.options, contract.BODY_LIMIT_OPTION)
    return limit


def adds_forwarded() -> bool:
    return bool(getattr(ctx.options, contract.FORWARDED_OPTION))


def port_list() -> str:
    return str(getattr(ctx.options, contract.PORTS_OPTION))


def web_token() -> str:
    return str(getattr(ctx.options, contract.WEB_TOKEN_OPTION))
