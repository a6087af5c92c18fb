#!/usr/bin/env bash
# Makes the figures of alternation.md: no tuning, one, and three that alternate with the schedule, at equal updates and three seeds of the
# run. An hour on one core; repeated, it goes on where it was.
#   docs/results/alternation.sh [folder] [samples in a seed range] [updates]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/alternation} samples=${2:-500} updates=${3:-300}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "${THREADS:-0}"; }

for steps in ${STEPS:-2 4}; do
    for seed in ${SEEDS:-0 1 2}; do
        for rounds in 0 1 3; do
            folder=$out/n$steps-rounds-$rounds-seed-$seed resume=()
            [ ! -e "$folder/report.html" ] || continue
            [ ! -d "$folder" ] || resume=(--resume)
            fewstep run --steps "$steps" --rounds "$rounds" --updates $((updates / (rounds > 0 ? rounds : 1))) --patience 0 --seed "$seed" \
                --samples "$samples" --strip-seeds none --out "$folder" ${resume[@]+"${resume[@]}"}
        done
    done
done
