"""The connections of clients."""

from door.port import plain
from mitmproxy import connection, ctx, flow, tcp
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.http import HTTPFlow
from mitmproxy.proxy.server import ConnectionHandler
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from .client import Client
from .entrance import Entrance
from .flow_end import FlowEnd
from .ports import Ports


class Connections(FlowEnd):
    """Gives each new connection its first layer, in place of mitmproxy's, which waits until the client speaks."""

    name = "mittens-connections"

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.clients: dict[str, Client] = {}

    def client_connected(self, client: connection.Client) -> None:
        handler = find_handler(client)
        client.peername = plain(client.peername)
        port = self.ports.find(client.sockname[1])
        if handler is None or port is None:
            return
        self.clients[client.id] = Client(handler)
        context = handler.layer.context
        context.layers.clear()
        context.server.address = (port.host, port.app)
        handler.layer = Entrance(context, port.protocol)

    def client_disconnected(self, client: connection.Client) -> None:
        self.clients.pop(client.id, None)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Speaks to the app as the client speaks. Only TLS negotiates a protocol."""
        has_tls = data.client.tls or data.server.tls
        if data.client.alpn == b"h2" and not has_tls and self.ports.leads_to(data.server.address):
            data.server.alpn = b"h2"

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        client = self.clients.get(data.client.id)
        if client:
            client.close(data.server)

    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        self.allow_silence(flow)

    def websocket_start(self, flow: HTTPFlow) -> None:
        self.allow_silence(flow)

    def allow_silence(self, flow: flow.Flow) -> None:
        client = self.clients.get(flow.client_conn.id)
        if client:
            client.allow_silence()

    def end(self, flow: flow.Flow) -> None:
        client = self.clients.get(flow.client_conn.id)
        if client:
            client.note_busy()


def find_handler(client: connection.Client) -> ConnectionHandler | None:
    server = ctx.master.addons.get("proxyserver")
    assert isinstance(server, Proxyserver)
    return next((handler for handler in server.connections.values() if handler.client is client), None)
