# The functions of a step that changes links through NetworkManager. They stand on reading.sh. $LINKS is what is kept of the
# trial under way: the profiles that were active (active), who answered before (reached), who did not any more (lost).
LINKS=$RUN/links TRIED=/run/NetworkManager/system-connections
NM='org.freedesktop.NetworkManager /org/freedesktop/NetworkManager org.freedesktop.NetworkManager'

# answering FILE ADDRESS…: writes down those that answer, all asked at once.
answering() {
  m=$1
  shift
  : >"$m"
  b=''
  for k; do
    { ping -n -q -c 2 -i 0.3 -W 2 "$k" >/dev/null 2>&1 && echo "$k" >>"$m"; } &
    b="$b $!"
  done
  [ -z "$b" ] || wait $b || :
}

# @reach ADDRESS…: remembers who answers now, and what is active; so it comes before any change.
at_reach() {
  mkdir -p -m 700 $LINKS && rm -f $LINKS/lost && answering $LINKS/reached "$@" &&
    nmcli -g UUID connection show --active >$LINKS/active
}

# @checkpoint SECONDS: NetworkManager itself takes back what follows, unless it is told to keep it within that time: flag 2
# deletes profiles that are new by then, 4 takes links down that are.
at_checkpoint() { busctl call $NM CheckpointCreate aouu 0 "$1" 6; }

# @reached ADDRESS…: everybody who answered before does again, and one at least of these, where there are any.
at_reached() {
  l=$(cat $LINKS/reached) || return 2
  answering "$dir/now" $l "$@"
  m=$(cat "$dir/now")
  o=''
  for k in $l; do case $NL$m$NL in *"$NL$k$NL"*) ;; *) o="$o $k" ;; esac; done
  if [ $# != 0 ]; then
    k=''
    for t; do case $NL$m$NL in *"$NL$t$NL"*) k=1 ;; esac; done
    [ "$k" ] || o="$o $*"
  fi
  [ "$o" ] || return 0
  echo "${o# }" >$LINKS/lost
  echo "no answer from$o" >&2
  return 1
}

# @unused ADDRESS…: nobody has one of them: no ping is answered, nor the question for its hardware address that comes before.
at_unused() {
  answering "$dir/now" "$@"
  o=$(cat "$dir/now")
  for k; do case $(ip -o neigh show to "$k" 2>/dev/null) in *lladdr*) o="$o $k" ;; esac; done
  [ "$o" ] || return 0
  echo 'somebody has' $o >&2
  return 1
}

# @aggregated BOND PORT…: the bond has a partner that speaks LACP, and each of these ports that has a link works with it.
at_aggregated() {
  b=$1 t=/sys/class/net/$1/bonding o=''
  m=$(cat $t/ad_partner_mac) && t=$(cat $t/ad_aggregator) || return 2
  shift
  case $m in
    '' | 00:00:00:00:00:00) ;;
    *)
      for k; do
        [ "$(cat /sys/class/net/$k/carrier 2>/dev/null)" = 1 ] || continue
        [ "$(cat /sys/class/net/$k/bonding_slave/ad_aggregator_id 2>/dev/null)" = "$t" ] || o="$o $k"
      done
      [ "$o" ] || return 0
      ;;
  esac
  echo "$b$o" >$LINKS/lost
  echo "no LACP aggregate: $b$o" >&2
  return 1
}

# @rollback KEY: back to what was active before, also where NetworkManager was restarted and has forgotten its checkpoint. It
# is written down which profiles were taken back, and how often.
at_rollback() {
  k=$(busctl get-property $NM Checkpoints)
  for k in $k; do
    case $k in '"/'*) k=${k#?} && busctl call $NM CheckpointRollback o "${k%?}" ;; esac
  done
  set +f
  rm -f $TRIED/heretic-*.nmconnection
  set -f
  nmcli connection reload
  m=$(nmcli -g UUID connection show --active)
  while read -r k; do
    case $NL$m$NL in *"$NL$k$NL"*) ;; *) nmcli -w 10 connection up uuid "$k" ;; esac
  done <$LINKS/active
  l='' t=0
  read -r l t k 2>/dev/null <$LINKS/taken-back
  [ "$l" = "$1" ] || t=0
  echo "$1 $((t + 1)) $(cat $LINKS/lost 2>/dev/null)" >$LINKS/taken-back
}
