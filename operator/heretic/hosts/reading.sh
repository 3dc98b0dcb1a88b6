# What reads disks, sent only where it is called for: how a disk or a volume is proven blank. Blank is a positive answer
# of everybody who is asked; who fails says nothing. See prologue.sh for the rules of this text and its variables; here
# $DEVICE is what is read, $PLACES where, m a file for what a reader says, t the bytes that were found to be zero, h where
# the first other one is.

# @signatures: every sign of use on every whole disk. The disks are read side by side, and one that does not end within
# 30 s is given up alone: what it lacks of the answer says so.
at_signatures() {
  set +f
  disks=$(lsblk -dnbpo NAME,TYPE,SIZE) || return 2
  n=0 b=''
  while read -r k l m; do
    case $l:$m:$k in
      disk:0:* | disk:*/zram* | disk:*/loop* | disk:*/ram* | disk:*/fd* | disk:*/sr* | disk:*/nbd* | disk:*/rbd*) ;;
      disk:*/drbd* | disk:*/bcache* | disk:*/mtdblock* | disk:*/zd*) ;;
      disk:*)
        n=$((n + 1))
        uses "$k" "$m" >"$dir/s.$n" &
        b="$b $!"
        ;;
    esac
  done <<EOF
$disks
EOF
  [ $n != 0 ] || return 0
  within 30 "$b" &
  c=$!
  for k in $b; do wait "$k"; done
  kill -s USR1 $c
  k=0
  set --
  while [ $k -lt $n ]; do
    k=$((k + 1))
    set -- "$@" "$dir/s.$k"
  done
  cat "$@"
}

# uses DISK BYTES: what @signatures prints of one disk.
uses() {
  echo "disk $1"
  k=${1##*/}
  for l in /sys/class/block/"$k"/holders/* /sys/class/block/"$k"/"$k"*/holders/*; do
    [ ! -e "$l" ] || echo "holder ${l##*/}"
  done
  look "$@"
}

# built_in TIMEOUT @NAME ARGUMENT…: a function of this file; `timeout` could not run one.
built_in() {
  t=$1 k=at_${2#@}
  shift 2
  rm -f "$dir/late"
  "$k" "$@" &
  k=$! c=''
  [ "$t" = 0 ] || { within "$t" $k & c=$!; }
  wait $k
  k=$?
  [ -z "$c" ] || kill -s USR1 $c
  [ $k != 137 ] || k=124
  return $k
}

# @blank DEVICE: prints nothing where every tool says that it knows of nothing and all that is read is zero.
at_blank() { proves zero "$1"; }

# @unsigned DEVICE: prints nothing where every tool says that it knows of nothing; what else is read may be anything.
at_unsigned() { proves content "$1"; }

# @found DEVICE: what the tools know of a device, or what reading it shows: the same lines as in @signatures.
at_found() {
  m=$(lsblk -dnbo SIZE "$1") || return 2
  look "$(readlink -e "$1")" $m
}

# proves WORD DEVICE: prints what else there is than answers of every tool that it knows of nothing, and this word.
proves() {
  command -v xfs_io >/dev/null || { echo 'xfs_io is not installed'; return; }
  m=$(lsblk -dnbo SIZE "$2") || return 2
  look "$(readlink -e "$2")" $m >"$dir/look" || return 2
  x='' o=''
  while read -r k l; do
    case $k:$l:$1 in
      wipefs:0:* | blkid:2:*) x="$x $k" ;;
      zero:* | content:*:content) x="$x read" ;;
      w:*) o=$o$l ;;
      *) echo "$k $l" ;;
    esac
  done <"$dir/look"
  case $x:$o in ' wipefs blkid read:{"signatures": []}') ;; *) echo "not proven:${x:- nothing} $o" ;; esac
}

# within SECONDS PIDS: ends processes that take longer, and what reads a device for them; USR1 calls it off. USR1 and not
# TERM: a shell that has only just been forked would run its parent's trap.
within() {
  trap 'kill $w; exit' USR1
  sleep "$1" &
  w=$!
  wait
  : >"$dir/late"
  kill -s KILL $2
} >/dev/null 2>&1 </dev/null

# look DEVICE BYTES: what the tools know of a device and, where they know of nothing, what reading it shows.
look() {
  o=$(wipefs --no-act -J -O OFFSET,TYPE,UUID,LABEL "$1" </dev/null)
  said wipefs $? w
  e=$o
  o=$(blkid -p -o export "$1" </dev/null)
  r=$?
  said blkid $r b
  case $r:$e in 2:*'"type"'*) ;; 2:*) content "$@" || : ;; esac
}

# said PROGRAM STATUS MARK: its status, and its output with every line marked.
said() {
  echo "$1 $2"
  [ -z "$o" ] || while IFS= read -r l; do printf '%s %s\n' "$3" "$l"; done <<EOF
$o
EOF
}

# content DEVICE BYTES: reads the places of it, and says where the first content lies, where the first place that cannot
# be read, where it ended too early, or that all of them are zero. Never from a cache, which may hold what the disk does
# not: what was read before a fault, before another host wrote, or before the disk was exchanged. What fails ends it: a
# disk that dies is not worn out. One xfs_io reads all the small places, because a process for each costs more than the
# reading. Where it is not installed yet, fewer are read, and no step takes that for a proof.
content() {
  DEVICE=$1 m=$dir/r.${1##*/} t=0
  if [ "$2" -le 67108864 ]; then
    span 0 "$2" || return
  else
    span 0 16777216 || return
    if command -v xfs_io >/dev/null; then
      places "$2"
      samples || return
    else
      places "$2" few
      set -- "$2" $PLACES
      while [ $# != 1 ]; do
        a=$2 l=$3 k=$1
        shift 3
        set -- "$k" "$@"
        [ -d "$dir" ] && [ ! -e "$dir/late" ] && span "$a" "$l" || return
      done
      set -- "$DEVICE" "$1"
    fi
    span $(($2 - 16777216)) 16777216 || return
  fi
  echo "zero $t"
}

# places BYTES: the small places of a device of this size that are read beside 16 MiB of head and tail, where labels and
# tables lie, as pairs of first byte and number of bytes: every power of two MiB and every whole GiB up to 128 GiB, then
# as many GiB apart as give no more than 128 places, a power of two too, because filesystems keep copies of their
# superblock at such places; and what lies around the quarters, where XFS begins its groups.
places() {
  PLACES='' a=33554432 g=1073741824 q=1
  while [ $(($1 / g)) -gt 128 ]; do g=$((2 * g)); done
  while [ $((a + 4096)) -le $(($1 - 16777216)) ]; do
    k=$(($1 / 4 * q / 4096 * 4096 - 8192))
    if [ $q != 4 ] && [ $k -lt $a ]; then
      PLACES="$PLACES $k 16384" q=$((q + 1))
      continue
    fi
    PLACES="$PLACES $a 4096"
    if [ -n "$2" ] || [ $a -lt 1073741824 ]; then
      a=$((2 * a))
    elif [ $a -lt 137438953472 ]; then
      a=$((a + 1073741824))
    else
      a=$(((a / g + 1) * g))
    fi
  done
  while [ $q -lt 4 ]; do
    PLACES="$PLACES $(($1 / 4 * q / 4096 * 4096 - 8192)) 16384" q=$((q + 1))
  done
}

# span START COUNT: reads one stretch of the device; prints what is amiss, and fails then.
span() {
  h=$(dd if="$DEVICE" bs=1M iflag=direct,fullblock,skip_bytes,count_bytes skip="$1" count="$2" 2>"$m" |
    od -A d -t x8 -w4096 | first)
  z=${h#* } h=${h% *}
  [ -z "$h" ] || { echo "content $(($1 + h))"; return 1; }
  [ "$z" != "$2" ] || { t=$((t + z)); return; }
  failure=''
  while read -r k l; do
    case $k:$l in
      dd:*) failure="error $(($1 + z)) ${l##*: }" ;;
      *:byte* | *:*copied*) failure=${failure:-short $(($1 + z))} ;;
    esac
  done <"$m"
  [ -z "$failure" ] || echo "$failure"
  return 1
}

# samples: reads all of $PLACES; likewise.
samples() {
  set -- $PLACES
  a='' h=''
  while [ $# != 0 ]; do
    a="$a$NL-c${NL}pread -v $1 $2"
    shift 2
  done
  IFS=$NL
  set -- $a
  IFS=" $NL	"
  o=$(timeout 35 xfs_io -r -d "$@" "$DEVICE" 2>"$m" |
    grep -v -e ':  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ' -e ' ops; ')
  while read -r k l; do
    case $k in *[!0-9a-f:]* | '') ;; *:) h=$((0x${k%:})) && break ;; esac
  done <<EOF
$o
EOF
  set -- $PLACES
  while [ $# != 0 ]; do
    case $NL$o$NL in
      *"${NL}read $2/$2 bytes at offset $1$NL"*) t=$((t + $2)) ;;
      *)
        e=''
        read -r e 2>/dev/null <"$m"
        case $e:$o in
          ?*:*) echo "error $1 ${e##*: }" ;;
          *"bytes at offset $1"*) echo "short $1" ;;
        esac
        [ -z "$h" ] || echo "content $h"
        return 1
        ;;
    esac
    shift 2
  done
  [ -z "$h" ] || { echo "content $h"; return 1; }
}

# first: the position of the first line of od that is not zero, "" when there is none, and the last position.
first() {
  h='' z=0
  while read -r k l; do
    case $k in '*') continue ;; esac
    z=${k#"${k%%[!0]*}"}
    case $l in *[!\ 0]*)
      h=${z:-0}
      break
      ;;
    esac
  done
  echo "$h ${z:-0}"
}
