"""mittens' code in the pods: the only code of ours in the cluster.

It travels compressed in an environment variable of the proxy's container. start.sh unpacks it, and mitmproxy loads
script.py. The modules by what they do:

- contract, limits: the names that are shared with TypeScript and the shell; sizes and times
- script, script_error: what mitmproxy loads; why it could not load the scripts of the user
- options, interface, quit_key, tasks: mitmproxy's options, its TUI and web interface, background work
- control, lane, handover, counts: what the addon and the door tell each other; connections that the door hands over
- port, ports: the ports of the proxy, and where the app listens
- connections, client, entrance, speech, http2, patches: each connection, and the protocol that it speaks
- headers, streams, body_keeper: what is changed or kept while a message passes
- observer, watched, watched_flow, watched_hooks: connections that pass beside mitmproxy, of which a door sends copies
- flow_end, flow_writer, flow_file, body_limit, view_bounds: each flow at its end
- departure: how the proxy ends

This file and contract import nothing of mitmproxy, so that programs beside mitmproxy can use them.
"""
