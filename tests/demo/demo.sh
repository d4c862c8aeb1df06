#!/bin/bash
# demo.sh BIN: a pair of servers and a client, each a network namespace around one bridge, and what a failover costs.
# It fails when a failover does not happen within 10 s.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

bin=$(realpath "$1")
lab=vipd-$$
vip=192.0.2.10
declare -A pid=()

pair_up() {
  work=$(mktemp -d /var/lib/vipd-demo-XXXXXX) # vipd believes no file below a directory that others may write, as /tmp is
  trap pair_down EXIT
  trap 'exit 130' INT TERM
  ip netns add "$lab-switch"
  ip -n "$lab-switch" link add lan type bridge
  ip -n "$lab-switch" link set lan up
  plug lb1 192.0.2.1
  plug lb2 192.0.2.2
  plug client 192.0.2.100
  write_config lb1 254
  write_config lb2 253
}

plug() {
  ip netns add "$lab-$1"
  ip -n "$lab-$1" link add eth0 type veth peer name "$1" netns "$lab-switch"
  ip -n "$lab-switch" link set "$1" master lan up
  ip -n "$lab-$1" link set lo up
  ip -n "$lab-$1" link set eth0 up
  ip -n "$lab-$1" address add "$2/24" dev eth0
}

# The example that the package ships; only the priority differs, and the names, since namespaces have none.
write_config() {
  mkdir -p "$work/$1"
  sed "s/^\(priority *=\) *[0-9]*/\1 $2/" conf/examples/pair.toml >"$work/$1/vipd.toml"
  printf '\n[node]\nname = "%s"\n' "$1" >>"$work/$1/vipd.toml"
}

pair_down() {
  local name
  for name in "${!pid[@]}"; do kill -KILL "${pid[$name]}" 2>/dev/null || true; done
  wait 2>/dev/null
  for name in lb1 lb2 client switch; do ip netns delete "$lab-$name" 2>/dev/null || true; done
  rm -rf "$work"
}

# in_background NAME NAMESPACE COMMAND...: its process is ${pid[NAME]}, what it prints is in $work/NAME.out.
in_background() {
  ip netns exec "$lab-$2" "${@:3}" >"$work/$1.out" 2>&1 &
  pid[$1]=$!
}

start_node() {
  in_background "$1" "$1" "$bin/vipd" --config "$work/$1/vipd.toml" --runtime-dir "$work/$1/run" \
    --state-dir "$work/$1/state"
}

holds() {
  [[ $(ip -n "$lab-$1" address show dev eth0) == *" $vip/"* ]]
}

holds_not() {
  ! holds "$1"
}

alone_holds() {
  holds "$1" && holds_not "$2"
}

die() {
  echo "demo: $*" >&2
  exit 1
}

# await COMMAND...: until it is true, for 10 s at most.
await() {
  local deadline=$((SECONDS + 10))
  until "$@"; do
    [ $SECONDS -lt $deadline ] || die "waited 10 s for '$*'; the log of lb1: $(tail -n 5 "$work/lb1.out")"
    sleep 0.01
  done
}

# measure COMMAND...: sets $outage_ms, the longest time in which the client, asking each millisecond, got no answer.
measure() {
  in_background probe client "$bin/vipd-traffic" watch "$vip" 7777 --json
  sleep 0.3
  "$@"
  sleep 0.3
  kill -INT "${pid[probe]}"
  wait "${pid[probe]}" || die "the client never got an answer: $(cat "$work/probe.out")"
  unset 'pid[probe]'
  outage_ms=$(sed -n 's/.*"longest_outage_ms":\([0-9]*\.[0-9]\).*/\1/p' "$work/probe.out")
}

cable() { ip -n "$lab-switch" link set "$1" "$2"; }

start_pair() {
  pair_up
  in_background serve1 lb1 "$bin/vipd-traffic" serve 7777
  in_background serve2 lb2 "$bin/vipd-traffic" serve 7777
  start_node lb1
  start_node lb2
  await alone_holds lb1 lb2
}

# The four things that happen to lb1, each until the pair is at rest.
lose_power() {
  cable lb1 down
  kill -KILL "${pid[lb1]}"
  { wait "${pid[lb1]}" || true; } 2>/dev/null
  await holds lb2
}

regain_power() {
  start_node lb1
  await holds_not lb1
  cable lb1 up
  await alone_holds lb1 lb2
}

crash() {
  kill -KILL "${pid[lb1]}"
  { wait "${pid[lb1]}" || true; } 2>/dev/null
  ip netns exec "$lab-lb1" "$bin/vipd" --last-will --config "$work/lb1/vipd.toml" --runtime-dir "$work/lb1/run" \
    >>"$work/lb1.out" 2>&1
  await alone_holds lb2 lb1
}

stop() {
  kill -TERM "${pid[lb1]}"
  wait "${pid[lb1]}" || die "vipd on lb1 did not stop cleanly: $(tail -n 5 "$work/lb1.out")"
  await alone_holds lb2 lb1
}

restart() {
  start_node lb1
  await alone_holds lb1 lb2
}

# --- The story

headline() { printf '\n== %s\n' "$*"; }

indented() { sed 's/^./   &/'; }

status() {
  ip netns exec "$lab-$1" "$bin/vipctl" --runtime-dir "$work/$1/run" status | indented
}

show_outcome() {
  local node
  for node in lb1 lb2; do
    if holds "$node"; then ip -n "$lab-$node" -4 -brief address show dev eth0 | sed "s/^[^ ]* *[A-Z]* */   $node has /"; fi
  done
  echo "   longest time without an answer for the client: $outage_ms ms"
}

headline "Two servers, lb1 (192.0.2.1) and lb2 (192.0.2.2), one address, $vip; a client asks it every millisecond"
start_pair
status lb1
echo
status lb2
headline "lb1 loses its power"
measure lose_power
show_outcome
status lb2
headline "lb1 is back: it has the higher priority and takes over"
measure regain_power
show_outcome
headline "vipd on lb1 crashes (kill -9), and systemd runs its last will"
measure crash
show_outcome
headline "vipd on lb1 is started again"
measure restart
show_outcome
headline "vipd on lb1 is stopped (SIGTERM): the other one has the address before this one lets go"
measure stop
show_outcome
headline "What lb2 tells of it: vipctl events"
ip netns exec "$lab-lb2" "$bin/vipctl" --runtime-dir "$work/lb2/run" events | indented
