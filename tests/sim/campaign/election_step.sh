#!/bin/bash
# election_step.sh NM LIBRARY DIRECTORY: the symbol of Election::step(), for the compiler and for the linker.
set -euo pipefail
symbol=$("$1" "$2" | sed -n 's/.* T \(_ZN4vipd8Election4stepE[^ ]*\)$/\1/p')
mkdir -p "$3"
echo "#define VIPD_ELECTION_STEP \"$symbol\"" >"$3/election_step.hpp"
echo "-Wl,--wrap=$symbol" >"$3/link.rsp"
