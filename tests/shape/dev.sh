#!/bin/bash
# ./dev passes arguments on unchanged: the verb reports a wrong argument.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
status=0
said() {
  local wanted=$1 text
  shift
  text=$(./dev "$@" 2>&1 || true)
  grep -q "$wanted" <<<"$text" || { echo "'./dev $*' does not say: $wanted"; status=1; }
}
said "no target 'nonsense'" fuzz nonsense
said "no label 'nonsense'" test nonsense
said "Usage: ./dev VERB" nonsense
said "no fault 'nonsense'" seeded nonsense
[ $status != 0 ] || echo "./dev takes its arguments"
exit $status
