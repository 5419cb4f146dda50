# What the proxy's container runs first, with mitmproxy's command line as its arguments.

# mitmproxy dies on a terminal of no width, which is what a container has before anyone attaches.
stty rows 50 cols 200 2>/dev/null

umask 077
echo $$ >/tmp/mittens.pid
printf %s "$MITTENS_ADDON" >/tmp/mittens.py

# What was sent along, scripts and flows to replay: each in a folder of its own, by the name that stands before it.
number=0
while file=$(printenv "MITTENS_FILE_$number"); do
  mkdir -p "/tmp/mittens.files/$number"
  printf %s "${file#* }" | base64 -d | gunzip >"/tmp/mittens.files/$number/${file%% *}"
  number=$((number + 1))
done

# mitmproxy takes a certificate and its key in one file, where a Secret has two, which may lack a line's end.
for side in tls client; do
  folder=/mittens/$side
  [ -d "$folder" ] && { cat "$folder/tls.crt" && echo && cat "$folder/tls.key"; } >"/tmp/mittens.$side.pem"
done

exec "$@"
