# What empties a disk, sent only with the step that a person has approved. It stands on reading.sh and
# uses its $PLACES: what is written over is what a proof of blankness reads. $DEADLINE is the second of the host's uptime
# after which nothing may write any more.

# @held DEVICE: prints nothing where nobody else has the disk or a partition of it. The kernel itself says whether one of
# them is claimed, by a mount of whatever namespace, swap, LVM, RAID, ZFS or btrfs: wipefs asks for the disk alone, and
# writes nothing here. A loop device, a virtual machine and an iSCSI target only open it, as udev does for a moment.
at_held() {
  DEVICE=$(readlink -e "$1") || return 2
  wipefs --all --no-act "$DEVICE" >/dev/null || return
  command -v find >/dev/null || return 2
  set +f
  for k in 1 2 3; do
    o=$(
      find /proc/[0-9]*/fd -maxdepth 1 \( -lname "$DEVICE" -o -lname "$DEVICE[0-9]*" -o -lname "${DEVICE}p[0-9]*" \)
      grep -sH "^$DEVICE" /sys/block/loop*/loop/backing_file
    ) 2>/dev/null
    [ "$o" ] || return 0
    sleep 1
  done
  echo "$o"
}

# @erase DEVICE: takes the signatures off each partition and then off the disk itself, where wipefs fails while anybody
# has claimed either of them; discards what the disk can discard, which is a help and no proof; and writes zeroes to all
# places that are read to prove that a disk is blank.
at_erase() {
  command -v xfs_io >/dev/null || { echo 'xfs_io is not installed'; return 2; }
  DEVICE=$(readlink -e "$1") || return 2
  m=$(lsblk -dnbo SIZE "$DEVICE") || return 2
  o=$(lsblk -nrpo TYPE,NAME "$DEVICE") || return 2
  read -r DEADLINE k </proc/uptime
  DEADLINE=$((${DEADLINE%.*} + 50))
  while read -r k l; do
    [ "$k" != part ] || bounded 10 wipefs --all "$l" || return
  done <<EOF
$o
EOF
  bounded 10 wipefs --all "$DEVICE" || return
  bounded 15 blkdiscard "$DEVICE" || echo 'not discarded'
  if [ "$m" -le 67108864 ]; then
    set -- 0 "$m"
  else
    places "$m"
    set -- 0 16777216 $PLACES $((m - 16777216)) 16777216
  fi
  a=''
  while [ $# != 0 ]; do
    a="$a$NL-c${NL}pwrite -q -b 1m -S 0 $1 $2"
    shift 2
  done
  IFS=$NL
  set -- $a
  IFS=" $NL	"
  bounded 40 xfs_io -d "$@" -c fsync "$DEVICE" || return
  udevadm settle --timeout 5 || :
}

# bounded SECONDS PROGRAM…: ends it after so many seconds, and at $DEADLINE at the latest. What went on writing after its step was
# given up would write over what a later one has made of the disk.
bounded() {
  read -r x z </proc/uptime
  x=$((DEADLINE - ${x%.*}))
  [ $x -le "$1" ] || x=$1
  shift
  [ $x -gt 0 ] || return 124
  timeout -k 1 $x "$@" </dev/null
}
