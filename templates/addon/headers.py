"""Headers that are read or changed."""

from mitmproxy import connection
from mitmproxy.http import Headers as HttpHeaders
from mitmproxy.http import HTTPFlow

from . import options

STREAMED = (
    "text/event-stream",
    "application/grpc",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/json-seq",
    "application/stream+json",
    "application/json;stream=watch",
    "multipart/x-mixed-replace",
)


class Headers:
    """Changes the headers of requests."""

    name = "mittens-headers"

    def requestheaders(self, flow: HTTPFlow) -> None:
        refuse_h2c_upgrade(flow.request.headers)
        if options.adds_forwarded() and flow.is_replay is None:
            add_forwarded(flow.request.headers, flow.client_conn)


def refuse_h2c_upgrade(headers: HttpHeaders) -> None:
    """Removes the offer to go on in HTTP/2, which mitmproxy can't follow. The app then answers in HTTP/1.1."""
    if "h2c" not in headers.get("upgrade", "").lower():
        return
    gone = ("upgrade", "http2-settings")
    tokens = [token.strip() for token in headers.get("connection", "").split(",")]
    for name in (*gone, "connection"):
        headers.pop(name, None)
    rest = ", ".join(token for token in tokens if token and token.lower() not in gone)
    if rest:
        headers["connection"] = rest


def add_forwarded(headers: HttpHeaders, client: connection.Client) -> None:
    hops = [headers.get("x-forwarded-for"), client.peername[0]]
    headers["x-forwarded-for"] = ", ".join(filter(None, hops))
    headers.setdefault("x-forwarded-proto", "https" if client.tls else "http")


def is_grpc(headers: HttpHeaders) -> bool:
    return str(headers.get("content-type", "")).lower().startswith("application/grpc")


def is_stream(headers: HttpHeaders) -> bool:
    """Whether a response must pass as it comes, because its reader does not wait for the end."""
    kind = str(headers.get("content-type", "")).lower().replace(" ", "")
    return kind.startswith(STREAMED) or str(headers.get("x-accel-buffering", "")).lower() == "no"
