# The functions that every script begins with; what follows them is one call a line between `{` and `}`, so that
# the shell reads the whole script before it runs any of it: a script that a dying connection cut short does
# nothing. Written for POSIX sh (dash and bash run it). Comments and indentation are not sent, and of the two
# sections below only the one that is needed.
# Names of one letter: d folder in memory, i probes started, n lines of one verb seen, o and e what a program
# printed, r its exit status, s state of a step (met, open), u answer of a step that is met, J exit status of a step that did not succeed,
# R what Heretic keeps on a host until its next boot, F what it keeps for good, N a new line, L in a job the file that
# tells how it ended, T how many lines of its output are kept there, B this boot, K the trial that a
# step has begun.
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="${HOME:-/root}"
set -f
umask 022
i=0 n=0 s=met u=unchanged R=/run/heretic F=/var/lib/heretic/fence names='' pids='' files='' longest=0 L='' K=''
N='
'

# A private folder in memory: works with a full disk and a read-only root.
room() {
  for d in /run/heretic /dev/shm/heretic ''; do
    [ "$d" ] && d=$d.$$ && mkdir -m 700 "$d" && break
  done
  [ "$d" ] || exit 70
  trap 'kill -s KILL $pids 2>/dev/null; leave 70' HUP INT TERM PIPE
}

# leave STATUS: instead of a trap on EXIT, which a shell that has only just been forked would run too when a signal
# ends it, and so take the folder away from its parent.
leave() {
  rm -rf "$d"
  exit "$1"
}

# --- observation ---

# Each call of gluster starts the geo-replication program to see whether it works, with $PYTHON: 49 of the 62 ms of
# processor time that a question costs (measured with GlusterFS 10). No question of ours is about geo-replication.
export PYTHON=true

# probe NAME TIMEOUT ARGV…: starts one question in the background. There is no `timeout` in front of it: that would
# double the processes of a pass, and a batch is as slow as its slowest question anyway.
probe() {
  [ "$i" != 0 ] || room
  i=$((i + 1)) names="$names$1 " files="$files$i.o $i.e "
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
  ) >"$d/$i.o" 2>"$d/$i.e" </dev/null &
  pids="$pids $!"
}

# finish: waits for all probes, but not longer than the longest timeout, and prints their answers.
finish() {
  late=''
  trap 'late=1; kill -s KILL $pids 2>/dev/null; sleep 1' ALRM
  # USR1 and not TERM: for the same reason, a signal that the parent does not trap.
  (
    trap 'kill $c; exit' USR1
    sleep "$longest" &
    c=$!
    wait
    [ ! -d "$d" ] || kill -s ALRM $$
  ) >/dev/null 2>&1 </dev/null &
  c=$!
  codes=''
  for p in $pids; do
    ended "$p"
    codes="$codes $r"
  done
  kill -s USR1 "$c" 2>/dev/null
  cd "$d" || leave 70
  set -- $(stat -c %s $files)
  echo "heretic/1 $i"
  for r in $codes; do
    echo "${names%% *} $r $1 $2"
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
    r=$?
    [ "$late" ] || return 0
  fi
  r=124
  k=''
  read -r k 2>/dev/null </proc/"$1"/stat
  case ${k##*) } in '' | [ZX]*) ;; *) return 0 ;; esac
  wait "$1"
  r=$?
  [ "$r" != 137 ] || r=124
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

# @sequence: the number that the kernel gave each disk when it came. Linux before 5.15 gives none.
at_sequence() {
  set +f
  for k in /sys/class/block/*/diskseq; do
    { read -r l <"$k"; } 2>/dev/null || continue
    k=${k%/diskseq}
    echo "${k#/sys/class/block/} $l"
  done
}

# @jobs: each job that there was: its unit, how it ended (running = not yet, lost = nobody knows), the number and the
# status of the command that failed, seconds since; below it, each after a bar, what it said last.
at_jobs() {
  set +f
  read -r B </proc/sys/kernel/random/boot_id || return 2
  t=''
  for k in ${F%/*}/jobs/*.service; do
    [ -f "$k" ] || continue
    read -r s n r b w <"$k" || return 2
    if [ "$s" = running ]; then
      case $b:$(systemctl show -p ActiveState --value "${k##*/}") in
        "$B":active | "$B":activating | "$B":deactivating) ;;
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
  o=$(find "$@" -maxdepth 0 -empty) || return 2
  e=$(getfattr --absolute-names -h -e hex -n trusted.glusterfs.volume-id "$@" 2>&1)
  for k; do
    case $N$o$N in *"$N$k$N"*) m=1 ;; *) m=0 ;; esac
    case $N$e in
      *"$N# file: $k${N}trusted.glusterfs.volume-id=0x"*)
        l=${e#*"# file: $k${N}trusted.glusterfs.volume-id=0x"}
        l=${l%%"$N"*}
        ;;
      *"$N$k: trusted.glusterfs.volume-id: No such attribute"*) l=- ;;
      *)
        echo "$e" >&2
        return 2
        ;;
    esac
    echo "$k $m $l"
  done
}

# --- step ---

# answer VERDICT NUMBER STATUS: prints the one answer of a step and ends it.
answer() {
  [ -z "$L" ] || outcome "$1 $2 $3" "$1"
  o='' e=''
  case $1 in
    unchanged | changed | started) ;;
    *)
      o=$(tail -c 4096 "$d/o") e=$(tail -c 4096 "$d/e")
      [ -z "$K" ] || take_back "$K"
      ;;
  esac
  printf 'heretic/1 1\n%s:%s %s %s %s\n%s%sheretic/1 end\n' "$1" "$2" "$3" ${#o} ${#e} "$o" "$e"
  [ "$1" = changed ] || leave "$J"
  leave 0
}

# begin TOKEN CLUSTER HOLDER: one step at a time on a host, and none of an operator that has been replaced or is of
# another cluster. The newest token lies on the disk, so that a boot does not forget it. What cannot be read refuses;
# a missing file is as a host that Heretic never touched.
begin() {
  J=0
  room
  : >"$d/o" 2>"$d/e"
  mkdir -p -m 700 $R
  # `command`, or the shell would end itself here when it cannot write.
  command exec 9>>$R/lock || leave 70
  flock -w 10 9 || answer locked 0 1
  [ "$1" != 0 ] || return 0
  k='' l='' w=''
  if cat $F >"$d/o" 2>"$d/e"; then
    read -r k l w <"$d/o"
    # A token that is not a number makes the comparison fail, hence refuses.
    [ "$2" = "$l" ] && [ "$1" -ge "$k" ] 2>"$d/e" && { [ "$1" != "$k" ] || [ "$3" = "$w" ]; } || answer fenced 0 1
    [ "$1" != "$k" ] || return 0
  else
    case $(cat "$d/e") in *': No such file or directory') ;; *) answer fenced 0 1 ;; esac
  fi
  {
    mkdir -p -m 700 ${F%/*} && echo "$1 $2 $3" >$F.new && sync $F.new && mv -f $F.new $F && sync ${F%/*}
  } 2>"$d/e" || answer fence 0 $?
}

# run TIMEOUT STDIN ARGV…: descriptor 9 is closed, or a daemon that the program leaves behind would keep the lock.
run() {
  t=$1 b=$2
  shift 2
  case $1 in
    @*)
      # A shell of its own: what hangs below it must not hold the descriptors that this one would save.
      (built_in "$t" "$@") </dev/null >"$d/o" 2>"$d/e" 9>&-
      r=$?
      return
      ;;
  esac
  # The actions of a job say aloud, to the journal, what they do.
  if [ "$L" ] && [ "$v" = act ]; then execute "$@" 2>&1; else execute "$@" >"$d/o" 2>"$d/e" 9>&-; fi
  r=$?
}

execute() {
  case $b in
    -) timeout -k 2 "$t" "$@" </dev/null ;;
    *) printf %s "$b" | base64 -d | timeout -k 2 "$t" "$@" ;;
  esac
}

# holds EXPECT TEXT TIMEOUT STDIN ARGV…: 0 yes, 1 no, 2 nobody knows (it timed out).
holds() {
  x=$1 y=$2
  shift 2
  run "$@"
  case $r:$x in
    124:* | 137:*) return 2 ;;
    0:ok) return 0 ;;
    0:*) ;;
    *) return 1 ;;
  esac
  case $x in
    contains | lacks)
      b=$N
      while read -r l || [ "$l" ]; do b=$b$l$N; done <"$d/o"
      while read -r l; do
        case $b:$x in *"$N$l$N"*:contains) ;; *:contains | *"$N$l$N"*:lacks) return 1 ;; esac
      done <<EOF
$y
EOF
      return 0
      ;;
    only | none)
      b=''
      while read -r l || [ "$l" ]; do
        [ "$l" ] || continue
        t='' k=first
        while read -r p; do
          case $l in $p) t=$t$k ;; esac
          k=later
        done <<EOF
$y
EOF
        case $x:$t in only: | none:?*) return 1 ;; none: | only:first*) b=1 ;; esac
      done <"$d/o"
      [ "$b" ]
      return
      ;;
  esac
  [ "$x" != empty ] || y=''
  l=$(cat "$d/o")
  l=${l#"${l%%[![:space:]]*}"}
  [ "${l%"${l##*[![:space:]]}"}" = "$y" ]
}

done_when() {
  [ "$s" = met ] || return 0
  n=$((n + 1))
  holds "$@"
  case $? in 1) s=open ;; 2) answer undecided $n $r ;; esac
}

# again: the conditions are asked once more; where they hold now, the actions were enough.
again() {
  settled again
  s=met u=changed n=0
}

# fallback N: what is done where they were not; its numbers go on from the N actions before.
fallback() {
  settled fallback
  v=act n=$1
}

# settled VERB: before every other line; where all conditions hold there is nothing (more) to do.
settled() {
  [ "$s" = open ] || answer $u 0 0
  [ "$v" = "$1" ] || v=$1 n=0
  n=$((n + 1))
}

guard() {
  settled guard
  holds "$@" || answer guard $n $r
}

act() {
  settled act
  holds "$@" || answer act $n $r
}

verify() {
  settled verify
  holds "$@" || answer verify $n $r
}

# put PATH MODE REPLACES CONTENT: written beside, synced, renamed; labelled as the path wants it under SELinux.
put() {
  settled act
  w=act k=${1%/*} t=''
  {
    { [ "$3" = - ] || replaces "$1" "$3"; } &&
      mkdir -p "${k:-/}" && t=$(mktemp "$k/.heretic.XXXXXX") && printf %s "$4" | base64 -d >"$t" &&
      chmod "$2" "$t" && sync "$t" && mv -fT "$t" "$1" && sync "${k:-/}" &&
      { [ ! -e /sys/fs/selinux/enforce ] || ! command -v restorecon || restorecon "$1"; }
  } >"$d/o" 2>"$d/e" 9>&- || {
    r=$?
    [ -z "$t" ] || rm -f "$t"
    answer $w $n $r
  }
}

# replaces PATH SHA256: whether the file is still what the step was planned from ("" = not there).
replaces() {
  h=''
  if [ -e "$1" ] || [ -L "$1" ]; then h=$(sha256sum <"$1") || return 1; fi
  h=${h%% *}
  [ "$h" = "$2" ] || { echo "${h:-no file}"; w=stale; return 1; }
}

end() {
  settled end
  answer changed 0 0
}
