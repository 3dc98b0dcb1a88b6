# What runs ask_ports.py on a host. PROGRAM stands for that file, encoded.

# @ask KEY REQUEST: what ports told, or why nothing could be asked, in a file that the next look reads. It does not fail:
# that a host has no Python is told, and is no reason to try again.
at_ask() {
  k=$RUN/ports
  if ! o=$(printf %s PROGRAM | base64 -d | python3 -I - "$2" 2>"$dir/ask"); then
    o=$(tail -n 1 "$dir/ask" | tr -cd 'A-Za-z0-9 .,:_/()[]=-' | cut -c -200)
    o="{\"error\": \"${o:-python3 said nothing}\"}"
  fi
  echo "$1 $o" >$k.new && mv -f $k.new $k
}
