#!/usr/bin/env bash
# Makes the figures of steps.md: standard schedules, optimisers and Phase 1+2 with Euler over the number of steps. Some two hours on one core; repeated, it goes on where it was.
#   docs/results/steps.sh [folder] [samples in a seed range] [tuning updates] [part: all, untuned or tuned]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/steps} samples=${2:-500} updates=${3:-200} part=${4:-all}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@"; }
counts=3,4,5,6,8,10

# Weights untouched.
if [ "$part" = all ] || [ "$part" = untuned ]; then
    fewstep compare --solvers euler --nfe "$counts" --samples "$samples" --ranges 3 --out "$out/untuned" \
        --schedules karras,log-snr,uniform-t,quadratic-t,cosine,flow,phase1,phase1:0.5,phase1:1,phase1:amplification,gits,propagated,ays,dm-nonuniform,optimal-steps,endpoint
fi

# Phase 1, then Phase 2 on its schedule.
if [ "$part" = all ] || [ "$part" = tuned ]; then
    [ -e "$out/schedules/phase1-power-0-n10.sampler.json" ] || fewstep schedule --steps "$counts" --out "$out/schedules"
    for steps in ${counts//,/ }; do
        schedule=$out/schedules/phase1-power-0-n$steps.sampler.json
        fewstep tune --schedule "$schedule" --updates "$updates" --patience 0 --out "$out/tuned-$steps"
        fewstep evaluate --model models/fashion-mnist --model "tuned=$out/tuned-$steps" --schedules "karras,$schedule" --tuned-schedules "$schedule" --steps "$steps" --teacher karras --teacher-steps $((2 * steps)) \
            --samples "$samples" --ranges 3 --out "$out/tuned-$steps/evaluation"
    done
fi
