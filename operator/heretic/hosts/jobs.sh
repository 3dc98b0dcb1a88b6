# The functions of a job: long work that runs on as a systemd unit. They are sent only where a step starts one, and are in
# the script of the job itself; they stand on prologue.sh.

# running UNIT: where the step's job runs already, that is the answer; what is left of a failed one is cleared.
running() {
  settled job
  k=$(unit_state "$1" 2>"$dir/e") || answer job $number $?
  case $k in
    inactive) ;;
    failed)
      run 20 - systemctl reset-failed "$1"
      [ $rc = 0 ] || answer job $number $rc
      ;;
    *) answer started 0 0 ;;
  esac
}

# job UNIT SECONDS SCRIPT: starts the acts as a unit that outlives this connection and the operator. systemd ends it
# when it takes longer, with all that it started.
job() {
  settled job
  k=''
  {
    mkdir -p -m 700 $RUN/jobs && k=$(mktemp $RUN/jobs/XXXXXX) && printf %s "$3" | base64 -d >"$k"
  } 2>"$dir/e" || { rm -f "$k"; answer job $number 1; }
  run 20 - systemd-run --quiet --unit="$1" -p RuntimeMaxSec="$2" --description='Heretic step' sh "$k"
  [ $rc = 0 ] || { rm -f "$k"; answer job $number $rc; }
  answer started 0 0
}

# begin_job UNIT TAIL STAGE: inside the unit. The script may hold secrets, and the shell has read all of it.
begin_job() {
  failed=1 state=open JOB=$KEPT/jobs/$1 TAIL=$2
  rm -f "$0"
  room
  : >"$dir/o" >"$dir/e"
  read -r BOOT </proc/sys/kernel/random/boot_id
  mkdir -p -m 700 "${JOB%/*}"
  outcome 'running 0 0' running "$3"
}

# outcome LINE VERDICT: a job's answer, kept for good, with the end of what its actions and the failed condition said.
outcome() {
  {
    echo "$1 $BOOT $INVOCATION_ID"
    case $2 in
      changed | running) ;;
      *)
        journalctl --sync && journalctl -q --no-pager -o cat -n "$TAIL" _SYSTEMD_INVOCATION_ID="$INVOCATION_ID"
        cat "$dir/o" "$dir/e"
        ;;
    esac | tail -n "$TAIL" | tail -c 4096
    [ "$2" != running ] || echo "$3"
  } >"$JOB.new" 2>/dev/null && sync "$JOB.new" && mv -f "$JOB.new" "$JOB"
}
