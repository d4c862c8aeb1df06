#!/bin/bash
# The package on two machines that really boot systemd: Debian trees in containers, joined by one cable.
#
# What `./dev deb` has built is installed by apt, configured as README.md says, failed over, upgraded, purged.
# A mirror of Debian that cannot be reached fails the test, it skips nothing.
# Not here: how fast a failover is. tests/lab measures that, without containers.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
. tests/support/debian_tree.sh

lab=vipd-package-$$
work=$PWD/build/package/run-$$
vip=192.0.2.10
declare -A container=() leader=() watcher=()

fail() {
  echo "FAILED: $*" >&2
  for host in "${!leader[@]}"; do
    echo "--- journal of $host" >&2
    inside "$host" journalctl --no-pager --lines 30 --unit vipd --unit vipd-runner >&2 || true
  done
  exit 1
}

# check WHAT COMMAND...: prints WHAT if the command succeeds, and fails otherwise.
check() {
  "${@:2}" || fail "$1"
  echo "ok: $1"
}

# await WHAT COMMAND...: the same, with 20 s for the command to succeed.
await() {
  local deadline=$((SECONDS + 20))
  until "${@:2}"; do
    [ $SECONDS -lt $deadline ] || fail "$1 (waited 20 s)"
    sleep 0.05
  done
  echo "ok: $1"
}

# --- The machines

# The first alternative of each package that the .deb depends on: apt inside has no network to fetch them.
dependencies() {
  { dpkg-deb --field "$1" Depends && echo , && dpkg-deb --field "$1" Pre-Depends; } | tr ',' '\n' |
    sed -E 's/[|(].*//; s/[[:space:]]//g; /^$/d' | sort -u
}

# Each container needs a cgroup of its own, in the hierarchy that its systemd uses: v2, v1, or both.
cgroups() {
  local self
  self=$(sed -n 's/^0:://p' /proc/self/cgroup)
  findmnt --noheadings --list --output TARGET --types cgroup2 | sed "s|\$|${self%/}/$lab-$1|"
  self=$(sed -n 's/^[0-9]*:name=systemd://p' /proc/self/cgroup)
  findmnt --noheadings --list --output TARGET --types cgroup --options name=systemd | sed "s|\$|${self%/}/$lab-$1|"
}

enter_cgroups() {
  local group
  for group in $(cgroups "$1"); do
    mkdir -p "$group"
    echo "$BASHPID" >"$group/cgroup.procs"
  done
}

boot() {
  cp -a "$tree" "$work/$1"
  : >"$work/$1/etc/machine-id"
  echo "$1" >"$work/$1/etc/hostname"
  cp build/deb/vipd_*.deb "$work/$1/root/vipd.deb"
  (
    enter_cgroups "$1"
    exec systemd-nspawn --quiet --directory="$work/$1" --machine="$lab-$1" --hostname="$1" --boot \
      --network-namespace-path="/run/netns/$lab-$1" --capability=CAP_NET_ADMIN,CAP_NET_RAW \
      --register=no --keep-unit --link-journal=no --console=pipe </dev/null >"$work/$1.log" 2>&1
  ) &
  container[$1]=$!
  await "$1 has a first process" has_leader "$1"
  await "$1 has booted" booted "$1"
}

has_leader() {
  local child
  child=$(cat "/proc/${container[$1]}/task/${container[$1]}/children") || return 1
  leader[$1]=${child%% *}
  [ "$(cat "/proc/${leader[$1]}/comm" 2>/dev/null)" = systemd ]
}

booted() {
  inside "$1" systemctl is-system-running 2>/dev/null | grep -E '^(running|degraded)$' >/dev/null
}

inside() {
  nsenter --target "${leader[$1]}" --all -- /usr/bin/env -i LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"
}

lay_cable() {
  ip netns add "$lab-lb1"
  ip netns add "$lab-lb2"
  ip -n "$lab-lb1" link add eth0 type veth peer name eth0 netns "$lab-lb2"
  ip -n "$lab-lb1" address add 192.0.2.1/24 dev eth0
  ip -n "$lab-lb2" address add 192.0.2.2/24 dev eth0
  ip -n "$lab-lb1" link set eth0 up
  ip -n "$lab-lb2" link set eth0 up
}

# The second TERM makes nspawn kill the remaining processes.
power_off() {
  local pid=${container[$1]} deadline=$((SECONDS + 15))
  kill -TERM "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $deadline ]; do sleep 0.1; done
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" || true
}

clean_up() {
  local host group
  for host in "${!container[@]}"; do power_off "$host"; done
  jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true  # the client and the server, after a failure
  for host in lb1 lb2; do
    ip netns delete "$lab-$host" 2>/dev/null || true
    for group in $(cgroups "$host"); do
      [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    done
  done
  rm -rf "$work"
}

# --- The questions

unit_of() { inside "$1" systemctl show --property "$3" --value "$2"; }
unit() { unit_of "$1" vipd "$2"; }
unit_is() { [ "$(unit "$1" "$2")" = "$3" ]; }
holds() { inside "$1" ip address show dev eth0 | grep -F " $vip/" >/dev/null; }
holds_not() { ! holds "$1"; }
says() { inside "$1" vipctl status --json | grep -E "\"state\": *\"$2\"" >/dev/null; }
no_vipd_runs() { ! inside "$1" sh -c 'cat /proc/[0-9]*/comm' | grep -x -E 'vipd|vipd-(runner|keeper)' >/dev/null; }
journal_has() { inside "$1" journalctl --no-pager --unit vipd --unit vipd-runner | grep -i -E "$2" >/dev/null; }
is_fit() { inside "$1" vipctl status --json | grep -E "\"fit\": *$2" >/dev/null; }
active_alone() { says "$1" active && says "$2" backup && holds "$1" && holds_not "$2"; }
exits_with() { local status=0; "${@:2}" >/dev/null 2>&1 || status=$?; [ "$status" = "$1" ]; }

# Every path of the machine that a package could have made, without the files of dpkg, apt and the journal.
paths() {
  inside "$1" find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /run/log -o -path /run/systemd \
    -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/log \
    -o -path '/etc/*-' -o -path /etc/.pwd.lock -o -path /var/lib/systemd \) -prune -o -print | sort
}

# --- The story

install_without_config() {
  paths "$1" >"$work/$1.before"
  inside "$1" apt-get -q -y install /root/vipd.deb >"$work/$1.apt" 2>&1 || { cat "$work/$1.apt"; fail "apt on $1"; }
  check "$1: installing says what to write" grep -q 'cp /usr/share/doc/vipd/examples/pair.toml' "$work/$1.apt"
  check "$1: the unit is enabled" inside "$1" systemctl --quiet is-enabled vipd
  check "$1: without a configuration nothing is started" unit_is "$1" ActiveState inactive
  check "$1: without a configuration that is no failure" exits_with 1 inside "$1" systemctl is-failed vipd
  check "$1: no vipd runs" no_vipd_runs "$1"
  check "$1: vipctl knows that there is no daemon" exits_with 3 inside "$1" vipctl
  check "$1: the group of the control socket exists" exits_with 0 inside "$1" getent group vipd
}

# A hook that needs root's rights without a sandbox, and that records the user that ran it.
write_hook() {
  inside "$1" mkdir -p /etc/vipd/hooks
  inside "$1" tee /etc/vipd/hooks/web >/dev/null <<'END'
#!/bin/sh
{ mkdir -p /mnt/web; mountpoint -q /mnt/web || mount -t tmpfs web /mnt/web; } && echo "hook: $(id -un) $*"
END
  inside "$1" chmod 755 /etc/vipd/hooks/web
  inside "$1" sed -i 's|^addresses.*|&\nhooks.any = "/etc/vipd/hooks/web"|' /etc/vipd/vipd.toml
}

configure() {
  inside "$1" cp /usr/share/doc/vipd/examples/pair.toml /etc/vipd/vipd.toml
  inside "$1" sed -i "s/^\(priority *=\) *[0-9]*/\1 $2/" /etc/vipd/vipd.toml
  write_hook "$1"
  check "$1: the example is a valid configuration" exits_with 0 inside "$1" vipd --check
  check "$1: the unit starts and reports that it is ready" inside "$1" systemctl start vipd
}

pair_forms() {
  configure lb1 254
  configure lb2 253
  await "the pair forms: lb1 is active" active_alone lb1 lb2
  check "the control socket is for root and the group vipd" \
    [ "$(inside lb1 stat --format '%U:%G %a' /run/vipd/control.sock)" = 'vipd:vipd 660' ]
  check "vipd runs as user vipd" owned_by lb1 vipd vipd
  check "vipd-runner runs as root" owned_by lb1 vipd-runner root
  await "the hook was run as root" journal_has lb1 'hook: root INSTANCE web MASTER 254'
  check "and what it mounted is there for all" inside lb1 mountpoint -q /mnt/web
  check "vipd may set parameters of interfaces" may_write_sysctl lb1
  check "the journal tells that lb1 became active" journal_has lb1 'web.*active'
}

# Writes the kernel's notifications of a host's addresses from now on to $work/HOST.addresses, with times.
watch_addresses() {
  ip netns exec "$lab-$1" ip -ts monitor address >"$work/$1.addresses" &
  watcher[$1]=$!
  sleep 0.2
}

watch_no_more() {
  kill "${watcher[$1]}"
  wait "${watcher[$1]}" 2>/dev/null || true
}

# Changes of the virtual address that were noted, a line each.
moves() { grep -F " $vip/" "$work/$1.addresses" || true; }
has_moved() { [ -n "$(moves "$1")" ]; }

# A server at the address on lb1, and a client on lb2 that asks once a millisecond.
serve() {
  ip netns exec "$lab-lb1" build/release/bin/vipd-traffic serve 7 --name lb1 >/dev/null 2>&1 &
  served=$!
}

survives_kill() {
  local before times=3 i report
  [ -z "${VIPD_LONG:-}" ] || times=100
  serve
  watch_addresses lb1
  watch_addresses lb2
  ip netns exec "$lab-lb2" build/release/bin/vipd-traffic watch $vip 7 --json >"$work/report" &
  report=$!
  for ((i = 0; i < times; ++i)); do
    before=$(unit lb1 MainPID)
    inside lb1 systemctl kill --signal KILL vipd
    await "killed, vipd is started again by systemd" restarted lb1 "$before"
    await "and goes on as active" says lb1 active
  done
  kill -INT $report
  wait $report || true
  kill $served
  watch_no_more lb1
  watch_no_more lb2
  check "the address never left lb1" [ -z "$(moves lb1)" ]
  check "and never came to lb2" [ -z "$(moves lb2)" ]
  echo "measured: $times kills, longest outage of a client: $(sed -n 's/.*"longest_outage_ms": *\([0-9.]*\).*/\1/p' "$work/report") ms"
}

# If systemd was told not to restart vipd, only the last will runs.
is_gone_without_restart() {
  inside lb1 mkdir -p /run/systemd/system/vipd.service.d
  printf '[Service]\nRestart=no\n' | inside lb1 tee /run/systemd/system/vipd.service.d/once.conf >/dev/null
  inside lb1 systemctl daemon-reload
  watch_addresses lb1
  watch_addresses lb2
  local pid killed
  pid=$(host_pid lb1)
  killed=$(date +%s%N)
  kill -KILL "$pid"
  await "without a restart, the address leaves lb1" has_moved lb1
  await "and comes to lb2" has_moved lb2
  watch_no_more lb1
  watch_no_more lb2
  check "by the last will of vipd.service, which asked systemd" unneeded_was_the_second
  echo "measured: gone from lb1 $(since "$killed" lb1) ms after the kill, on lb2 $(since "$killed" lb2) ms after it"
  inside lb1 rm -r /run/systemd/system/vipd.service.d
  inside lb1 systemctl daemon-reload
  inside lb1 systemctl start vipd
  await "started, lb1 takes over" active_alone lb1 lb2
}

# vipd-last-will.service, which comes later, had nothing to do.
unneeded_was_the_second() {
  [ -z "$(inside lb1 journalctl --quiet --no-pager --unit vipd-last-will --grep 'removed leftovers' || true)" ]
}

# since NANOSECONDS HOST: time until the first change there, in ms.
# Lines of the monitor begin with "[2026-11-26T04:19:02.123456]".
since() {
  local stamp
  stamp=$(moves "$2" | sed -n '1s/^\[\([^]]*\)\].*/\1/p')
  echo $((($(date -d "$stamp" +%s%N) - $1) / 1000000))
}

# A vipd that hangs: its peer takes over, and systemd's watchdog restarts it.
survives_hanging() {
  local before
  before=$(unit lb1 MainPID)
  inside lb1 systemctl kill --signal STOP vipd
  await "stopped by a signal, lb1 is followed by lb2" says lb2 active
  await "the watchdog has vipd started again" restarted lb1 "$before"
  await "and lb1 takes over" active_alone lb1 lb2
}

owned_by() { [ "$(inside "$1" stat --format %U "/proc/$(unit_of "$1" "$2" MainPID)")" = "$3" ]; }

# Runs a command in the sandbox of vipd: its mounts, its user and its capabilities.
may_write_sysctl() {
  nsenter --target "$(host_pid "$1")" --mount --net -- setpriv --reuid "$(inside "$1" id -u vipd)" --clear-groups \
    --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin --bounding-set=-all,+net_admin \
    sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/arp_notify'
}

# The pid of vipd, outside of the container.
host_pid() {
  local pid
  for pid in $(pgrep --exact vipd); do
    [ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink "/proc/${leader[$1]}/ns/pid")" ] || echo "$pid"
  done
}

survives_kill_of_runner() {
  local before
  before=$(unit_of lb1 vipd-runner MainPID)
  inside lb1 systemctl kill --signal KILL vipd-runner
  await "killed, vipd-runner is started again" runner_restarted lb1 "$before"
  check "and vipd has not noticed more than that" active_alone lb1 lb2
}

runner_restarted() { [ "$(unit_of "$1" vipd-runner MainPID)" -gt 0 ] && [ "$(unit_of "$1" vipd-runner MainPID)" != "$2" ]; }

restarted() { unit_is "$1" ActiveState active && [ "$(unit "$1" MainPID)" != "$2" ]; }

stops_and_returns() {
  inside lb1 systemctl stop vipd
  check "stopped, lb1 has given the address up" holds_not lb1
  check "and lb2 has it" holds lb2
  check "lb2 says that it is active" says lb2 active
  check "the journal of lb2 tells of it" journal_has lb2 'web.*active'
  inside lb1 systemctl start vipd
  await "started, lb1 takes over" active_alone lb1 lb2
}

# A service that systemd runs and a check asks for.
follows_a_unit() {
  local host
  for host in lb1 lb2; do
    printf '[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' |
      inside "$host" tee /run/systemd/system/web.service >/dev/null
    inside "$host" systemctl --quiet --runtime enable --now web 2>/dev/null
    inside "$host" sed -i 's|^addresses.*|&\nchecks = ["web"]|' /etc/vipd/vipd.toml
    printf '\n[check.web]\nunit = "web"\ninterval = "200ms"\n' | inside "$host" tee -a /etc/vipd/vipd.toml >/dev/null
    check "$host: the check is taken up" inside "$host" systemctl reload vipd
    await "$host: the unit is active, so the node is fit" is_fit "$host" true
  done
  check "nothing has moved" active_alone lb1 lb2
  inside lb1 systemctl stop web
  await "its unit stopped, lb1 leaves the address to lb2" active_alone lb2 lb1
  check "and says which unit" told_of_unit lb1
  inside lb1 systemctl start web
  await "its unit started again, lb1 takes over" active_alone lb1 lb2
}

told_of_unit() { inside "$1" vipctl | grep -F 'web.service is inactive' >/dev/null; }

refuses_bad_config() {
  inside lb2 cp /etc/vipd/vipd.toml /etc/vipd/vipd.toml.good
  inside lb2 sh -c 'echo "colour = 1" >>/etc/vipd/vipd.toml'
  inside lb2 systemctl reload vipd 2>/dev/null && fail "lb2: a broken configuration was reloaded"
  check "a broken configuration that is reloaded leaves the unit running" unit_is lb2 ActiveState active
  check "and vipctl says that the files are not in force" files_are_in_force lb2 false
  inside lb2 runuser -u vipd -- vipctl reload 2>/dev/null && fail "lb2: user vipd may reload"
  check "user vipd may look" inside lb2 runuser -u vipd -- vipctl status
  inside lb2 systemctl restart vipd 2>/dev/null && fail "lb2: a broken configuration was accepted"
  check "a broken configuration fails the unit" unit_is lb2 ActiveState failed
  check "with exit status 2" unit_is lb2 ExecMainStatus 2
  check "and is not tried again and again" unit_is lb2 NRestarts 0
  check "the journal names the key" journal_has lb2 colour
  inside lb2 mv /etc/vipd/vipd.toml.good /etc/vipd/vipd.toml
  inside lb2 systemctl restart vipd
  await "repaired, lb2 is backup again" active_alone lb1 lb2
}

# Files that are not reloaded, on both hosts: valid ones that would move the address and fail a check, then broken ones.
upgrades_with_spoilt_files() {
  local host
  for host in lb1 lb2; do inside "$host" cp /etc/vipd/vipd.toml /etc/vipd/vipd.toml.good; done
  note_where_journals_end
  watch_addresses lb1
  watch_addresses lb2
  for host in lb2 lb1; do
    inside "$host" sed -i 's/^priority.*/priority = 9/; s/^unit = "web"/unit = "nowhere"/' /etc/vipd/vipd.toml
  done
  upgrade lb2 apt-get -q -y reinstall /root/vipd.deb
  upgrade lb1 dpkg -i /root/vipd.deb
  for host in lb2 lb1; do
    inside "$host" sh -c 'echo "[instance" >>/etc/vipd/vipd.toml'
    upgrade "$host" dpkg -i /root/vipd.deb
  done
  check "lb1 is active and lb2 backup" active_alone lb1 lb2
  for host in lb1 lb2; do await "$host: the check goes on" has_fresh_check "$host"; done
  watch_no_more lb1
  watch_no_more lb2
  for host in lb1 lb2; do
    check "$host: four upgrades moved no address" [ -z "$(moves "$host")" ]
    check "$host: the journal says what is not in force" [ -n "$(journal_since "$host" 'differs and is not in force')" ]
    check "$host: no transition" [ -z "$(journal_since "$host" 'web: [a-z]+ -> ')" ]
    check "$host: no check failed, and none was stale" [ -z "$(journal_since "$host" 'check web: .*(fail|stale)')" ]
    inside "$host" mv /etc/vipd/vipd.toml.good /etc/vipd/vipd.toml
    check "$host: repaired, the files are reloaded" inside "$host" systemctl reload vipd
    check "$host: and are in force" files_are_in_force "$host" true
  done
}

# upgrade HOST COMMAND...: upgrades the package while vipd runs.
upgrade() {
  local before start
  before=$(unit "$1" MainPID)
  start=$(date +%s%N)
  inside "$1" "${@:2}" >"$work/$1.apt" 2>&1 || { cat "$work/$1.apt"; fail "upgrade of $1"; }
  echo "measured: upgrade of $1 by $2: $((($(date +%s%N) - start) / 1000000)) ms"
  check "$1: the new program takes over" grep -q 'goes on, pid' "$work/$1.apt"
  check "$1: in the same process" unit_is "$1" MainPID "$before"
  check "$1: from the file of the package" [ "$(inside "$1" readlink "/proc/$before/exe")" = /usr/sbin/vipd ]
}

note_where_journals_end() {
  local host
  for host in lb1 lb2; do
    inside "$host" journalctl --quiet --no-pager --lines 0 --show-cursor | sed -n 's/^-- cursor: //p' >"$work/$host.cursor"
  done
}

journal_since() {
  inside "$1" journalctl --quiet --no-pager --after-cursor "$(cat "$work/$1.cursor")" --unit vipd --unit vipd-runner --grep "$2" || true
}

files_are_in_force() { inside "$1" vipctl status --json | grep -E "\"files_in_force\": *$2" >/dev/null; }
has_fresh_check() { inside "$1" vipctl status --json | tr -d ' \n' | grep '"state":"pass","stale":false' >/dev/null; }

# The unit of lb2 names another configuration file, which the package does not know.
upgrades_with_another_file() {
  local unit
  for unit in vipd vipd-runner; do
    inside lb2 mkdir -p /run/systemd/system/$unit.service.d
  done
  printf '[Service]\nExecStart=\nExecStart=/usr/sbin/vipd --runner /run/vipd-runner/runner.sock --config /etc/vipd/other.toml\n' |
    inside lb2 tee /run/systemd/system/vipd.service.d/other.conf >/dev/null
  printf '[Service]\nExecStart=\nExecStart=/usr/sbin/vipd-runner --config /etc/vipd/other.toml\n' |
    inside lb2 tee /run/systemd/system/vipd-runner.service.d/other.conf >/dev/null
  inside lb2 cp -p /etc/vipd/vipd.toml /etc/vipd/other.toml
  inside lb2 systemctl daemon-reload
  inside lb2 systemctl restart vipd
  await "lb2 is backup by the other file" active_alone lb1 lb2
  inside lb2 sh -c 'echo "[instance" >>/etc/vipd/vipd.toml'
  upgrade lb2 dpkg -i /root/vipd.deb
  check "lb2 is backup by the same file" active_alone lb1 lb2
  check "which is in force" files_are_in_force lb2 true
}

goes_without_a_trace() {
  inside "$1" apt-get -q -y remove vipd >/dev/null 2>&1
  check "$1: removed, no vipd runs" no_vipd_runs "$1"
  check "$1: the address is gone" holds_not "$1"
  inside "$1" umount /mnt/web
  inside "$1" rm -rf /mnt/web
  check "$1: the configuration stays" inside "$1" test -e /etc/vipd/vipd.toml
  inside "$1" apt-get -q -y purge vipd >/dev/null 2>&1
  check "$1: purged, the group is gone" exits_with 2 inside "$1" getent group vipd
  check "$1: the user is gone" exits_with 2 inside "$1" getent passwd vipd
  paths "$1" >"$work/$1.after"
  check "$1: no path was left behind" diff "$work/$1.before" "$work/$1.after"
}

[ "$(id -u)" = 0 ] || fail "this needs root: it boots containers"
mapfile -t needed < <(dependencies build/deb/vipd_*.deb)
debian_tree "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" systemd,systemd-sysv,dbus,iproute2 "${needed[@]}"
mkdir -p "$work"
trap clean_up EXIT
trap 'exit 130' INT TERM
lay_cable
boot lb1
boot lb2
install_without_config lb1
install_without_config lb2
pair_forms
survives_kill
is_gone_without_restart
survives_hanging
survives_kill_of_runner
stops_and_returns
follows_a_unit
refuses_bad_config
upgrades_with_spoilt_files
upgrades_with_another_file
goes_without_a_trace lb1
await "and lb2 carries on alone" says lb2 active
goes_without_a_trace lb2
