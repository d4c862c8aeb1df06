#!/bin/sh
# run.sh DIRECTORY-OF-PROGRAMS TARGET OPTION...: runs a fuzz target. New inputs are kept in DIRECTORY/../corpus/TARGET
# for the next run. The first inputs are those of the tree: tests/fuzz/corpus/TARGET, and the examples for "config".
set -eu
tree=$(cd "$(dirname "$0")/../.." && pwd)
programs=$(cd "$1" && pwd) target=$2
shift 2
kept=$programs/../corpus/$target
mkdir -p "$kept"
seeds=$tree/tests/fuzz/corpus/$target
[ "$target" != config ] || seeds="$tree/tests/data/config $tree/conf/examples"
cd "$kept/.."
# shellcheck disable=SC2086  # a list of directories
exec "$programs/fuzz_$target" -max_len=4096 -timeout=10 -artifact_prefix="$kept-" "$@" "$kept" $seeds
