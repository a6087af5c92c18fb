#!/usr/bin/env bash
# Measures an experiment of very many cells (trials x ranges of seeds) whose images cost nothing, so that files, memory and report are what
# is left: the first cells of a store, and the last ones of a large one; then the same as parts of shards that are joined.
#   docs/results/cells.sh [folder] [cells] [shards] [ranges] [cells that are measured one by one]
# Each line says seconds, processor seconds and the most memory so far of its process; each step is one process. BENCH is the program.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/cells} cells=${2:-1000000} shards=${3:-64} ranges=${4:-4} single=${5:-10000}
bench=${BENCH:-bench/FewStep.Bench/bin/Release/net10.0/linux-x64/FewStep.Bench}
rm -rf "$out"
step() {
    echo "== $*"
    "$bench" cells "$@" --ranges "$ranges"
}
step whole "$out/first" --cells "$single"
step fill "$out/last" --cells "$cells" --left "$single"
step whole "$out/last" --cells "$cells"
step fill "$out/parts" --cells "$cells" --shards "$shards"
step share "$out/parts" --cells "$cells" --shards "$shards"
step join "$out/parts" --cells "$cells" --shards "$shards"
