"""Sizes in bytes and times in seconds."""

# What the TUI and mitmweb keep.
KEPT_FLOWS = 5000
KEPT_BYTES = 128 * 1024 * 1024
KEPT_MESSAGES = 1000
# What mitmdump keeps of one connection until its flow is written.
KEPT_MESSAGE_BYTES = 64 * 1024 * 1024

# What is kept of one streamed body, as much as of one that is not streamed (stream_large_bodies=5m).
STREAM_BYTES = 5 * 1024 * 1024
# What is kept of all streamed bodies whose flows are open. Some streams never end.
STREAMS_BYTES = 64 * 1024 * 1024
# What all connections that are open and watched may take: beyond it, some are read no further.
OPEN_BYTES = 96 * 1024 * 1024
# How long the observer may keep the interface waiting.
SLICE = 0.02
# How often the interface shows what has passed.
SHOW_STREAMS = 1

# The flow file.
FILE_BYTES = 1024 * 1024 * 1024

# When the pod ends: after LINGER, flows that are still open are written as they are; FOLLOWERS_TIME is for followers
# to read the rest. Together they fit into the 30 s that Kubernetes gives a pod by default.
LINGER = 6
FOLLOWERS_TIME = 15
# When the Service no longer points here: TURN is for kube-proxy to follow; a connection without a request for IDLE
# is closed; after LEAVE everything is.
TURN = 2
IDLE = 6
LEAVE = 20
# How long clients may take to see that their connections are closed.
CLOSE = 1

# mitmproxy closes a connection that is silent for ten minutes. Those of a database pool often are.
SILENT = 7 * 24 * 60 * 60

# How long a client may be silent before the app is connected, which may speak first, by protocol. A readiness probe
# only connects and closes: it is gone by then, and the app does not notice it.
SILENCE = {"auto": 0.5, "tcp": 0.1}
