# What reads disks, sent only where it is called for: how a disk or a volume is proven blank. Blank is a positive answer
# of everybody who is asked; who fails says nothing. See prologue.sh for the rules of this text and its short names;
# here P is the places of a device that are read, as pairs of first byte and number of bytes.

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
        uses "$k" "$m" >"$d/s.$n" &
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
    set -- "$@" "$d/s.$k"
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
  rm -f "$d/late"
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

# proves WORD DEVICE: prints what else there is than answers of every tool that it knows of nothing, and this word.
proves() {
  m=$(lsblk -dnbo SIZE "$2") || return 2
  look "$(readlink -e "$2")" $m >"$d/look" || return 2
  x='' o=''
  while read -r k l; do
    case $k:$l:$1 in
      wipefs:0:* | blkid:2:*) x="$x $k" ;;
      zero:* | content:*:content) x="$x read" ;;
      w:*) o=$o$l ;;
      *) echo "$k $l" ;;
    esac
  done <"$d/look"
  case $x:$o in ' wipefs blkid read:{"signatures": []}') ;; *) echo "not proven:${x:- nothing} $o" ;; esac
}

# within SECONDS PIDS: ends processes that take longer, and what reads a device for them; USR1 calls it off. USR1 and not
# TERM: a shell that has only just been forked would run its parent's trap.
within() {
  trap 'kill $w; exit' USR1
  sleep "$1" &
  w=$!
  wait
  : >"$d/late"
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
  case $r:$e in 2:*'"type"'*) ;; 2:*) content "$@" ;; esac
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
# not: what was read before a fault, before another host wrote, or before the disk was exchanged. One od looks at
# everything, because a process for each place costs more than the reading.
content() {
  places "$2"
  m=$d/r.${1##*/}
  h=$({ sweep "$1" 3>&4 | od -A d -t x8 -w4096 | first; } 4>"$m")
  z=${h#* } h=${h% *} a=0 g=0 e=''
  while read -r k l o; do
    case $k:$l in
      at:*) a=$l x=$o g=0 ;;
      dd:*)
        # What looks at it ends when it has found something.
        case $o in writing*) ;; *) e=${o##*: } ;; esac
        ;;
      *:byte | *:bytes)
        g=$k
        [ "$g" = "$x" ] || [ -n "$e$h" ] || echo "short $((a + g))"
        ;;
      failed:*) [ -z "$e" ] && [ -n "$h" ] || echo "error $((a + g)) ${e:-dd exited with status $l}" ;;
    esac
  done <"$m"
  k=0
  set -- $P
  if [ -n "$h" ]; then
    while [ "$h" -ge "$2" ]; do
      h=$((h - $2))
      shift 2
    done
    echo "content $(($1 + h))"
  else
    while [ $# != 0 ]; do
      k=$((k + $2))
      shift 2
    done
    [ "$k" != "$z" ] || echo "zero $k"
  fi
}

# places BYTES: what of a device of this size is read, as pairs of first byte and number of bytes: 16 MiB of head and
# tail, where labels and tables lie; every power of two MiB and every whole GiB up to 128 GiB, then as many GiB apart as
# give no more than 128 places, a power of two too, because filesystems keep copies of their superblock at such places;
# and what lies around the quarters, where XFS begins its groups.
places() {
  M=1048576 q=0
  if [ "$1" -le $((64 * M)) ]; then
    P="0 $1"
    return
  fi
  P="0 $((16 * M))" t=$(($1 - 16 * M)) a=$((32 * M)) g=$((1024 * M)) l=$((2 * M))
  while [ $(($1 / g)) -gt 128 ]; do g=$((2 * g)); done
  while
    m=$(($1 / 4 * (q + 1) / 4096 * 4096 - 2 * M))
    while [ $q != 3 ] && [ $m -le $a ] && [ $((m + 4 * M)) -le $t ]; do
      P="$P $m $((4 * M))" q=$((q + 1))
      m=$(($1 / 4 * (q + 1) / 4096 * 4096 - 2 * M))
    done
    [ $((a + l)) -le $t ]
  do
    P="$P $a $l"
    if [ $a -lt $((1024 * M)) ]; then
      a=$((2 * a))
      [ $a -lt $((1024 * M)) ] || l=262144
    else
      [ $a -lt $((131072 * M)) ] && a=$((a + 1024 * M)) || a=$(((a / g + 1) * g))
    fi
  done
  P="$P $t $((16 * M))"
}

# sweep DEVICE: prints all its places, and on descriptor 3 what dd said of each; what fails ends it.
sweep() {
  k=$1
  set -- $P
  while [ $# != 0 ] && [ -d "$d" ] && [ ! -e "$d/late" ]; do
    echo "at $1 $2" >&3
    dd if="$k" bs=1M iflag=direct,fullblock,skip_bytes,count_bytes skip="$1" count="$2" 2>&3 || {
      echo "failed $?" >&3
      return
    }
    shift 2
  done
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
