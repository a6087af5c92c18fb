#!/usr/bin/env bash
# Standard schedules, GITS, Phase 1 and Phase 1+2 on a model of natural images, with Euler at 3 to 10 steps; cifar10.md has those of CIFAR-10. Repeated, it goes on where it was.
#   docs/results/natural-images.sh MODEL TRAINING-IMAGES TEST-IMAGES FOLDER [part: all, schedules, or a number of steps]
# SAMPLES (2000) are the samples in each of 3 seed ranges, UPDATES (200) those of a tuning. MODEL-classifier measures. After the part schedules the others can run side by side.
set -euo pipefail
model=$1 data=$2 reference=$3 out=$4 part=${5:-all} samples=${SAMPLES:-2000} updates=${UPDATES:-200}
root=$(cd "$(dirname "$0")/../.." && pwd)
fewstep() { ${FEWSTEP:-dotnet run -c Release --project "$root/src/FewStep.Cli" --} "$@"; }
counts=3,4,5,6,8,10

# Searched apart, so that each has its own seconds.
if [ "$part" = all ] || [ "$part" = schedules ]; then
    [ -e "$out/phase1/phase1-power-0-n10.sampler.json" ] || fewstep schedule --model "$model" --data "$data" --steps "$counts" --out "$out/phase1"
    [ -e "$out/gits/gits-n10.sampler.json" ] || fewstep schedule --model "$model" --data "$data" --optimizer gits --steps "$counts" --out "$out/gits"
fi

# Phase 2 on Phase 1's schedule, then everything at that number of steps with the same seeds; at four steps a fine teacher beside it.
for steps in ${counts//,/ }; do
    if [ "$part" != all ] && [ "$part" != "$steps" ]; then continue; fi
    models=(--model "$model")
    for loss in denoise trajectory; do # the last one is the result of the report
        fewstep tune --model "$model" --data "$data" --schedule "$out/phase1/phase1-power-0-n$steps.sampler.json" --loss "$loss" --updates "$updates" --patience 0 --snapshots none --out "$out/$loss-$steps"
        models+=(--model "$loss=$out/$loss-$steps")
    done
    teacher=()
    [ "$steps" != 4 ] || teacher=(--teacher karras --teacher-steps 18 --teacher-solver ipndm:3)
    fewstep evaluate "${models[@]}" --data "$data" --reference "$reference" --classifier "$model-classifier" --curve "$out/phase1/loss-curve.json" --schedules "karras,log-snr,uniform-t,$out/gits/gits-n$steps.sampler.json,phase1" \
        --steps "$steps" --tuned-schedules phase1 "${teacher[@]}" --samples "$samples" --ranges 3 --strip-seeds 0-15 --out "$out/steps-$steps"
done
