#!/bin/sh
# Checks the models exhaustively with spin. `run.sh` takes half a minute; `run.sh --full` adds the largest sizes.
# Exit 0: our protocol holds and the original one fails, as it must.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
for tool in spin cc; do
  command -v "$tool" >/dev/null 2>&1 || { echo "run.sh: $tool is not installed (Debian: apt-get install spin gcc)" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# check MODEL holds|fails DEFINITIONS...
check() {
  model=$1 expected=$2
  shift 2
  spin -a "$@" "$here/$model" >/dev/null
  cc -O2 -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c
  ./pan -m1000000 >out 2>&1 || true
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out)
  if grep -q 'errors: 0' out && ! grep -q 'max search depth too small' out; then found=holds; else found=fails; fi
  printf '%-12s %-6s %12s states  %s\n' "$model" "$found" "$states" "$*"
  if [ "$found" != "$expected" ]; then
    cat out >&2
    exit 1
  fi
}

check naive.pml fails -DA=2 -DSTALE=1
check naive.pml fails -DA=2 -DSTALE=0
check guarded.pml holds -DA=3 -DCRASHES=3 -DSTALE=1
check guarded.pml holds -DA=3 -DCRASHES=3 -DSTALE=0
check guarded.pml holds -DA=2 -DD=1 -DCRASHES=2 -DSTALE=1
check guarded.pml holds -DA=1 -DD=1 -DF=1 -DCRASHES=2 -DSTALE=1
if [ "${1:-}" = --full ]; then
  check guarded.pml holds -DA=2 -DD=2 -DCRASHES=2 -DSTALE=1
  check guarded.pml holds -DA=2 -DD=1 -DF=1 -DCRASHES=2 -DSTALE=1
  check guarded.pml holds -DA=2 -DF=2 -DCRASHES=2 -DSTALE=1
fi
# Without the guard the same steps fail, which shows that the guard protects them.
check guarded.pml fails -DA=2 -DD=1 -DCRASHES=0 -DSTALE=1 -DUNGUARDED
