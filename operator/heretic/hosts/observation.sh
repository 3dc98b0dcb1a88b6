# The functions of an observation: how probes are started and waited for, and what no program tells in one call.
# They stand on prologue.sh. $asked is the number of probes that were started, $names, $pids and $files theirs, $longest
# the longest time that one of them may take, $late whether that is over.
asked=0 names='' files='' longest=0

# Each call of gluster starts the geo-replication program to see whether it works, with $PYTHON: 49 of the 62 ms of
# processor time that a question costs (measured with GlusterFS 10). No question of ours is about geo-replication.
export PYTHON=true

# probe NAME TIMEOUT ARGV…: starts one question in the background. There is no `timeout` in front of it: that would
# double the processes of a pass, and a batch is as slow as its slowest question anyway.
probe() {
  [ "$asked" != 0 ] || room
  asked=$((asked + 1)) names="$names$1 " files="$files$asked.o $asked.e "
  [ "$2" -le "$longest" ] || longest=$2
  shift 2
  (
    # A runaway program must not fill the host's memory through the folder: 32 MiB at most.
    ulimit -f 65536
    case $1 in
      @*)
        b=at_${1#@}
        shift
        "$b" "$@"
        ;;
      *) exec "$@" ;;
    esac
  ) >"$dir/$asked.o" 2>"$dir/$asked.e" </dev/null &
  pids="$pids $!"
}

# finish: waits for all probes, but not longer than the longest timeout, and prints their answers.
finish() {
  late=''
  # What a function of ours has started ends with it: it would run on, and one more with every look.
  trap 'late=1 k=
    { for n in $pids; do read -r n </proc/$n/task/$n/children; k="$k $n"; done
    kill -s KILL $pids $k; } 2>/dev/null; sleep 1' ALRM
  # USR1 and not TERM: for the same reason, a signal that the parent does not trap.
  (
    trap 'kill $c; exit' USR1
    sleep "$longest" &
    c=$!
    wait
    [ ! -d "$dir" ] || kill -s ALRM $$
  ) >/dev/null 2>&1 </dev/null &
  c=$!
  codes=''
  for p in $pids; do
    ended "$p"
    codes="$codes $rc"
  done
  kill -s USR1 "$c" 2>/dev/null
  cd "$dir" || leave 70
  set -- $(stat -c %s $files)
  echo "heretic/1 $asked"
  for rc in $codes; do
    echo "${names%% *} $rc $1 $2"
    names=${names#* }
    shift 2
  done
  cat $files
  echo 'heretic/1 end'
  leave 0
}

# ended PID: its exit status; 124 when the alarm ended it. A program that hangs in the kernel survives even KILL
# and would be waited for without end; once the alarm has rung, only what is dead is waited for.
ended() {
  if [ -z "$late" ]; then
    wait "$1"
    rc=$?
    [ "$late" ] || return 0
  fi
  rc=124
  k=''
  read -r k 2>/dev/null </proc/"$1"/stat
  case ${k##*) } in [!ZX]*) return 0 ;; esac
  wait "$1"
  rc=$?
  [ "$rc" != 137 ] || rc=124
}

# @file PATH: mode, then content; status 1 only when it is certain that there is no such file.
at_file() {
  if m=$(stat -L -c %04a -- "$1" 2>&1); then
    echo "$m"
    cat -- "$1" || return 2
  else
    case $m in *': No such file or directory') return 1 ;; esac
    echo "$m" >&2
    return 2
  fi
}

# @links: what the stable names of disks stand for.
at_links() {
  set --
  for k in by-id by-path; do [ ! -d /dev/disk/$k ] || set -- "$@" /dev/disk/$k; done
  [ $# != 0 ] || return 0
  o=$(find "$@" -type l -printf '%h/%f %l\n') || return 2
  while read -r k l; do echo "${k#/dev/disk/} /dev/${l#../../}"; done <<EOF
$o
EOF
}

# @numbers PATTERN: what stands in each of these files below /sys, behind the name of the device that it is of. A kernel
# that is too old has none.
at_numbers() {
  set +f
  for k in $1; do
    { read -r l <"$k"; } 2>/dev/null || continue
    k=${k%/*}
    echo "${k##*/} $l"
  done
}

# @jobs: each job that there was: its unit, how it ended (running = not yet, lost = nobody knows), the number and the
# status of the command that failed, seconds since; below it, each after a bar, what it said last. The first line of a
# job's file holds how it ended (s), number (n) and status (r), the boot (b) and systemd's number of the run (w).
at_jobs() {
  set +f
  read -r boot </proc/sys/kernel/random/boot_id || return 2
  t=''
  for k in $KEPT/jobs/*.service; do
    [ -f "$k" ] || continue
    read -r s n r b w <"$k" || return 2
    if [ "$s" = running ]; then
      case $b:$(unit_state "${k##*/}") in
        "$boot":active | "$boot":activating | "$boot":deactivating) ;;
        # It may have ended since it was read.
        *) read -r s n r b w <"$k" || return 2 && [ "$s" != running ] || s=lost ;;
      esac
    fi
    l=$(stat -c %Y "$k") || return 2
    t=${t:-$(date +%s)}
    echo "${k##*/} $s $n $r $((t - l))"
    case $s in
      changed) ;;
      running) journalctl -q --no-pager -o cat -n 500 _SYSTEMD_INVOCATION_ID="$w" | grep -e "$(tail -n +2 "$k")" | tail -n 1 ;;
      *) tail -n +2 "$k" ;;
    esac | sed 's/^/|/'
  done
}

# @bricks: a brick that cannot be looked at makes the whole answer fail; it must not look like one that is absent.
at_bricks() {
  set +f
  set --
  for k in /gluster_bricks/*/brick*; do
    if [ -d "$k/brick" ]; then
      set -- "$@" "$k/brick"
    elif [ -e "$k" ] || [ -L "$k" ]; then
      find "$k/" -maxdepth 1 >/dev/null || return 2
    fi
  done
  [ $# != 0 ] || return 0
  n=trusted.glusterfs.volume-id
  o=$(find "$@" -maxdepth 0 -empty) || return 2
  e=$(getfattr --absolute-names -h -e hex -n $n "$@" 2>&1)
  for k; do
    case $NL$o$NL in *"$NL$k$NL"*) m=1 ;; *) m=0 ;; esac
    l="# file: $k$NL$n=0x"
    case $NL$e in
      *"$NL$l"*)
        l=${e#*"$l"}
        l=${l%%"$NL"*}
        ;;
      *"$NL$k: $n: No such attribute"*) l=- ;;
      *)
        echo "$e" >&2
        return 2
        ;;
    esac
    echo "$k $m $l"
  done
}
