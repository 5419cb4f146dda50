"""The door: a relay of bytes in front of an app, which also keeps copies of what passes.

It runs beside the app, in the network namespace of its pod, on the Python of mitmproxy's image. It needs the standard
library only and imports nothing of mitmproxy, so that traffic does not depend on mitmproxy.
"""
