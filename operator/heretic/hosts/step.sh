# The functions of a step: one call each of its lines, in the order done_when, guard, act, verify. They stand on
# prologue.sh. $state is met until a condition does not hold, then open; $verdict the answer of a step that is met; $verb and
# $number say which line is done; $failed is the exit status of a step that did not succeed. $RUN is what Heretic keeps on a
# host until its next boot, $FENCE who may send steps; $JOB, in a job, the file that tells how it ended, $TAIL how many lines
# of its output are kept there, $BOOT this boot; $TRIAL the trial that the step has begun.
number=0 state=met verdict=unchanged RUN=/run/heretic FENCE=$KEPT/fence JOB='' TRIAL=''

# answer VERDICT NUMBER STATUS: prints the one answer of a step and ends it.
answer() {
  [ -z "$JOB" ] || outcome "$1 $2 $3" "$1"
  o='' e=''
  case $1 in
    unchanged | changed | started) ;;
    *)
      o=$(tail -c 4096 "$dir/o") e=$(tail -c 4096 "$dir/e")
      [ -z "$TRIAL" ] || take_back "$TRIAL"
      ;;
  esac
  printf 'heretic/1 1\n%s:%s %s %s %s\n%s%sheretic/1 end\n' "$1" "$2" "$3" ${#o} ${#e} "$o" "$e"
  [ "$1" = changed ] || leave "$failed"
  leave 0
}

# begin TOKEN CLUSTER HOLDER: one step at a time on a host, and none of an operator that has been replaced or is of
# another cluster. The newest token lies on the disk, so that a boot does not forget it. What cannot be read refuses;
# a missing file is as a host that Heretic never touched.
begin() {
  failed=0
  room
  : >"$dir/o" 2>"$dir/e"
  mkdir -p -m 700 $RUN
  # `command`, or the shell would end itself here when it cannot write.
  command exec 9>>$RUN/lock || leave 70
  flock -w 10 9 || answer locked 0 1
  [ "$1" != 0 ] || return 0
  k='' l='' w=''
  if cat $FENCE >"$dir/o" 2>"$dir/e"; then
    read -r k l w <"$dir/o"
    # A token that is not a number makes the comparison fail, hence refuses.
    [ "$2" = "$l" ] && [ "$1" -ge "$k" ] 2>"$dir/e" && { [ "$1" != "$k" ] || [ "$3" = "$w" ]; } || answer fenced 0 1
    [ "$1" != "$k" ] || return 0
  else
    case $(cat "$dir/e") in *': No such file or directory') ;; *) answer fenced 0 1 ;; esac
  fi
  {
    mkdir -p -m 700 $KEPT && echo "$1 $2 $3" >$FENCE.new && sync $FENCE.new && mv -f $FENCE.new $FENCE && sync $KEPT
  } 2>"$dir/e" || answer fence 0 $?
}

# run TIMEOUT STDIN ARGV…: descriptor 9 is closed, or a daemon that the program leaves behind would keep the lock.
run() {
  t=$1 b=$2
  shift 2
  case $1 in
    @*)
      # A shell of its own: what hangs below it must not hold the descriptors that this one would save.
      (built_in "$t" "$@") </dev/null >"$dir/o" 2>"$dir/e" 9>&-
      rc=$?
      return
      ;;
  esac
  # The actions of a job say aloud, to the journal, what they do.
  if [ "$JOB" ] && [ "$verb" = act ]; then execute "$@" 2>&1; else execute "$@" >"$dir/o" 2>"$dir/e" 9>&-; fi
  rc=$?
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
  case $rc:$x in
    124:* | 137:*) return 2 ;;
    0:ok) return 0 ;;
    0:*) ;;
    *) return 1 ;;
  esac
  case $x in
    contains | lacks)
      b=$NL
      while read -r l || [ "$l" ]; do b=$b$l$NL; done <"$dir/o"
      while read -r l; do
        case $b:$x in *"$NL$l$NL"*:contains) ;; *:contains | *"$NL$l$NL"*:lacks) return 1 ;; esac
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
      done <"$dir/o"
      [ "$b" ]
      return
      ;;
  esac
  [ "$x" != empty ] || y=''
  l=$(cat "$dir/o")
  l=${l#"${l%%[![:space:]]*}"}
  [ "${l%"${l##*[![:space:]]}"}" = "$y" ]
}

done_when() {
  [ "$state" = met ] || return 0
  number=$((number + 1))
  holds "$@"
  case $? in 1) state=open ;; 2) answer undecided $number $rc ;; esac
}

# again: the conditions are asked once more; where they hold now, the actions were enough.
again() {
  settled again
  state=met verdict=changed number=0
}

# fallback N: what is done where they were not; its numbers go on from the N actions before.
fallback() {
  settled fallback
  verb=act number=$1
}

# settled VERB: before every other line; where all conditions hold there is nothing (more) to do.
settled() {
  [ "$state" = open ] || answer $verdict 0 0
  [ "$verb" = "$1" ] || verb=$1 number=0
  number=$((number + 1))
}

guard() {
  settled guard
  holds "$@" || answer guard $number $rc
}

act() {
  settled act
  holds "$@" || answer act $number $rc
}

verify() {
  settled verify
  holds "$@" || answer verify $number $rc
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
  } >"$dir/o" 2>"$dir/e" 9>&- || {
    rc=$?
    [ -z "$t" ] || rm -f "$t"
    answer $w $number $rc
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
