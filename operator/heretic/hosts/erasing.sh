# What empties a disk, sent only with the step that a person has approved. It stands on reading.sh, whose short names and
# places it uses: what is written over is what a proof of blankness reads.

# @erase DEVICE: takes the signatures off each partition and then off the disk itself, where wipefs fails while anybody
# holds either of them; discards what the disk can discard, which is a help and no proof; and writes zeroes to all places
# that are read to prove that a disk is blank.
at_erase() {
  D=$(readlink -e "$1") || return 2
  m=$(lsblk -dnbo SIZE "$D") || return 2
  o=$(lsblk -nrpo TYPE,NAME "$D") || return 2
  while read -r k l; do
    [ "$k" != part ] || wipefs --all "$l" </dev/null || return
  done <<EOF
$o
EOF
  wipefs --all "$D" || return
  timeout 20 blkdiscard "$D" || echo 'not discarded'
  if [ "$m" -le 67108864 ]; then
    set -- 0 "$m"
  else
    places "$m"
    set -- 0 16777216 $P $((m - 16777216)) 16777216
  fi
  a=''
  while [ $# != 0 ]; do
    a="$a$N-c${N}pwrite -q -b 1m -S 0 $1 $2"
    shift 2
  done
  IFS=$N
  set -- $a
  IFS=" $N	"
  timeout 30 xfs_io -d "$@" -c fsync "$D" || return
  udevadm settle --timeout 10 || :
}
