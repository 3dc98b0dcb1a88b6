# The functions that every script begins with; what follows them is one call a line between `{` and `}`, so that
# the shell reads the whole script before it runs any of it: a script that a dying connection cut short does
# nothing. Written for POSIX sh (dash and bash run it). Comments and indentation are not sent. Behind this text comes
# observation.sh or step.sh, and behind step.sh what the step needs of the others.
#
# Variables of more than one function have words for names: $dir a folder in memory, $rc the exit status of a program,
# $KEPT the folder that Heretic keeps for good, $NL a new line. Those of one letter belong to the function that sets
# them: k, l, m, p, t, w and x hold what it works on, b a list, c the process that watches the time, o and e what a
# program printed and what it complained of.
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="${HOME:-/root}"
set -f
umask 022
KEPT=/var/lib/heretic pids=''
NL='
'

# A private folder in memory: works with a full disk and a read-only root.
room() {
  for dir in /run/heretic /dev/shm/heretic ''; do
    [ "$dir" ] && dir=$dir.$$ && mkdir -m 700 "$dir" && break
  done
  [ "$dir" ] || exit 70
  trap 'kill -s KILL $pids 2>/dev/null; leave 70' HUP INT TERM PIPE
}

# leave STATUS: instead of a trap on EXIT, which a shell that has only just been forked would run too when a signal
# ends it, and so take the folder away from its parent.
leave() {
  rm -rf "$dir"
  exit "$1"
}

# unit_state UNIT: what systemd says of it: active, inactive, failed and so on.
unit_state() { systemctl show -p ActiveState --value "$1"; }
