#!/bin/bash
# debian13.sh BIN: compiles the programs and the tests on Debian 13 and runs unit, rfc, sim and shape there. The simulator
# has to come to the same decisions as that of BIN.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
. tests/support/debian_tree.sh

# The packages that packaging/deb/control asks for, and those that the tests need besides.
packages() {
  sed -n '/^Build-Depends:/,/^[A-Z]/p' packaging/deb/control | sed -nE 's/^ ([a-z0-9+-]+).*,$/\1/p' |
    grep -vx -E 'debhelper-compat|dh-sequence-installsysusers'
  printf '%s\n' g++ catch2 ccache git iproute2 libnl-3-dev libnl-route-3-dev mandoc procps python3
}

[ "$(id -u)" = 0 ] || { echo "FAILED: this needs root: it makes a Debian tree" >&2; exit 1; }
mapfile -t needed < <(packages)
debian_tree trixie '' "${needed[@]}"
cache=${CCACHE_DIR:-${HOME:-/root}/.cache/ccache}
mkdir -p "$cache" "$tree/src" "$tree/build" "$tree/ccache"

# A mount namespace of its own, so that nothing stays mounted. What `bash -s` reads runs inside of the tree.
# shellcheck disable=SC2016  # to be expanded there
unshare --mount --propagation private sh -c '
  mount --bind "$PWD" "$1/src" && mount --bind "$2" "$1/ccache" && mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
  mount -t tmpfs tmpfs "$1/tmp" && mount -t tmpfs tmpfs "$1/run" || exit 1
  exec chroot "$1" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin CCACHE_DIR=/ccache \
    CCACHE_SLOPPINESS=pch_defines,time_macros bash -s' sh "$tree" "$cache" <<'END'
set -euo pipefail
g++ --version | head -n 1
git config --global --add safe.directory /src
cmake -S /src -B /build -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O1' -DCMAKE_UNITY_BUILD=ON \
  -DCMAKE_CXX_COMPILER_LAUNCHER=ccache >/dev/null
targets=(vipd vipctl vipd-runner vipd-check test_unit test_rfc test_sim vipd-simulate vipd-transcripts)
cmake --build /build --target "${targets[@]}" >/tmp/build.log || { tail -n 40 /tmp/build.log; exit 1; }
ctest --test-dir /build --output-on-failure --no-tests=error -j "$(nproc)" -L '^(unit|rfc|sim|shape)$' \
  -E '^(sim[.]campaign|shape[.]dev)$' |
  grep -v ' Passed '
END
digest() { "$@" --seconds 0 --clusters 60 | grep -o 'digest [0-9a-f]*'; }
here=$(digest "$1/vipd-simulate")
there=$(digest chroot "$tree" /build/bin/vipd-simulate)
[ "$here" = "$there" ] || { echo "FAILED: the simulator comes to $there on Debian 13, to $here here" >&2; exit 1; }
