#!/usr/bin/env bash
# Standard schedules, GITS, Phase 1 and Phase 1+2 on a model of natural images, with Euler at 3 to 10 steps. cifar10.md has the figures of CIFAR-10. Repeated, it goes on where it was.
#   docs/results/natural-images.sh MODEL TRAINING-IMAGES TEST-IMAGES FOLDER [part: all, schedules, untuned, tuned or tuned:N]
# SAMPLES (2000) are the samples in each of 3 seed ranges, UPDATES (200) those of a tuning. MODEL-classifier measures. Parts but the first can run side by side.
set -euo pipefail
model=$1 data=$2 reference=$3 out=$4 part=${5:-all} samples=${SAMPLES:-2000} updates=${UPDATES:-200}
root=$(cd "$(dirname "$0")/../.." && pwd)
fewstep() { ${FEWSTEP:-dotnet run -c Release --project "$root/src/FewStep.Cli" --} "$@"; }
counts=3,4,5,6,8,10
wants() { [ "$part" = all ] || [ "$part" = "$1" ]; }
measure() { fewstep evaluate --data "$data" --reference "$reference" --classifier "$model-classifier" --curve "$out/phase1/loss-curve.json" --samples "$samples" --ranges 3 --strip-seeds 0-15 "$@"; }

# Phase 1 and GITS, searched apart so that each has its own seconds.
if wants schedules; then
    [ -e "$out/phase1/phase1-power-0-n10.schedule.json" ] || fewstep schedule --model "$model" --data "$data" --steps "$counts" --out "$out/phase1"
    [ -e "$out/gits/gits-n10.schedule.json" ] || fewstep schedule --model "$model" --data "$data" --optimizer gits --steps "$counts" --out "$out/gits"
fi

# Weights untouched, and the teacher that Phase 2 has at 8 steps.
if wants untuned; then
    gits=$(printf '%s,' "$out"/gits/gits-*.schedule.json)
    measure --model "$model" --schedules "karras,log-snr,uniform-t,phase1,${gits%,}" --steps "$counts" --teacher "$out/phase1/phase1-power-0-n8.schedule.json" --teacher-solver ipndm:3 --out "$out/untuned"
fi

# Phase 2 on Phase 1's schedules.
for steps in ${counts//,/ }; do
    if ! wants tuned && [ "$part" != "tuned:$steps" ]; then continue; fi
    schedule=$out/phase1/phase1-power-0-n$steps.schedule.json
    models=(--model "$model")
    for loss in trajectory denoise; do
        fewstep tune --model "$model" --data "$data" --schedule "$schedule" --loss "$loss" --updates "$updates" --patience 0 --snapshots none --out "$out/$loss-$steps"
        models+=(--model "$loss=$out/$loss-$steps/model")
    done
    measure "${models[@]}" --schedules "$schedule" --out "$out/tuned-$steps"
done
