"""Makes flows of copies: what passed between clients and an app, as docs/wire.md has it.

It is plain Python with hpack, which mitmproxy brings along, and knows nothing of mitmproxy: templates/addon/watched.py
makes mitmproxy's flows of what the Decoder tells its Listener. scripts/lib/wire does the same in TypeScript, and a test
compares the two. The modules by what they do:

- frame, payload, decoder, connection: frames, and the connections that they belong to
- undecided, resuming: what a connection speaks
- http1, head, framing, chunked: HTTP/1
- http2, http2_reader, header_block: HTTP/2
- websocket, websocket_reader, deflate: WebSockets
- tcp: what is none of these
- exchange, body, link, listener, protocol: what they have in common
- unread, budget: bytes, and how many of them there may be
"""
