# What the container of the proxy runs first, with the door's command line as its arguments.
# The names are those of templates/addon/contract.json.

# mitmproxy dies on a terminal of no width, and a container has such a one until somebody attaches.
stty rows 50 cols 200 2>/dev/null

umask 077
echo $$ >/tmp/mittens.pid

# The door and the addon are packages of Python.
export PYTHONPATH=/tmp/mittens
mkdir -p /tmp/mittens
printf %s "$MITTENS_ADDON" | base64 -d | gunzip | tar -x -o -f - -C /tmp/mittens

# Scripts and flows that were sent along: each in a folder of its own, by the name that precedes it.
number=0
while file=$(printenv "MITTENS_FILE_$number"); do
  mkdir -p "/tmp/mittens.files/$number"
  printf %s "${file#* }" | base64 -d | gunzip >"/tmp/mittens.files/$number/${file%% *}"
  number=$((number + 1))
done

# mitmproxy takes a certificate and its key in one file. A Secret has two, which may lack the end of a line.
for side in tls client; do
  folder=/mittens/$side
  [ -d "$folder" ] && { cat "$folder/tls.crt" && echo && cat "$folder/tls.key"; } >"/tmp/mittens.$side.pem"
done

exec "$@"
