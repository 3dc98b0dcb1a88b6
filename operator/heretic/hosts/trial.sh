# The functions of a trial: a change that the host takes back by itself unless it is proved on a new connection. They are
# sent only where a step is one; they stand on prologue.sh.

# armed UNIT: a trial of before that was never proved is taken back first, whether or not its change is there.
armed() {
  for w in timer service; do
    k=$(unit_state "$1.$w" 2>"$dir/e") || answer armed 1 $?
    case $k in active | activating | deactivating)
      take_back "$1"
      answer armed 1 0
      ;;
    esac
  done
}

# take_back UNIT: now. The service comes first: without its timer nothing would be left to start it.
take_back() {
  systemctl start --no-block "$1.service"
  systemctl stop "$1.timer"
} >/dev/null 2>&1

# arm UNIT SECONDS SCRIPT: from here on a step that fails is taken back.
arm() {
  settled arm
  k=$RUN/trials/$1
  {
    mkdir -p -m 700 $RUN/trials && rm -f "$k.taken-back" && printf %s "$3" | base64 -d >"$k"
  } 2>"$dir/e" || answer arm $number 1
  run 20 - systemd-run --quiet --unit="$1" --on-active="$2" --timer-property=AccuracySec=1s \
    --description='Heretic takes a change back' sh "$k"
  [ $rc = 0 ] || answer arm $number $rc
  TRIAL=$1
}

# begin_revert UNIT: inside the unit. It does not wait for a step that hangs for longer than any other one does.
begin_revert() {
  failed=1 state=open
  : >"$RUN/trials/$1.taken-back"
  rm -f "$0"
  room
  exec 9>>$RUN/lock
  flock -w 10 9
}

# prove UNIT: the proof follows, and then commit; where nothing will take the change back any more, whether it is there.
# The answer of the proof that made it stay may have been lost, the step may never have come, and a boot forgets trials.
prove() {
  state=open over=''
  k=$(unit_state "$1.timer" 2>"$dir/e") || answer prove 1 $?
  [ "$k" != active ] || return 0
  over=1
  not_taken_back "$1"
}

# there …: a condition of the step, as in done_when.
there() {
  [ "$over" ] || return 0
  settled there
  holds "$@" || answer there $number $rc
}

stays() {
  [ -z "$over" ] || answer changed 0 0
}

# not_taken_back UNIT: neither before nor in this very moment.
not_taken_back() {
  k=$(unit_state "$1.service" 2>"$dir/e") || answer prove 1 $?
  [ "$k" = inactive ] && [ ! -e "$RUN/trials/$1.taken-back" ] || answer late 1 1
}

proof() {
  settled proof
  holds "$@" || answer proof $number $rc
}

# commit UNIT: the change stays, unless the time has run out.
commit() {
  settled commit
  run 20 - systemctl stop "$1.timer"
  [ $rc = 0 ] || answer commit $number $rc
  not_taken_back "$1"
  rm -f "$RUN/trials/$1"
}
