#!/usr/bin/env bash
# Makes the figures of fashion-mnist.md: a few hours on two cores. Interrupt it at will; repeated, it goes on where it was.
#   docs/results/fashion-mnist.sh [folder] [samples in a seed range] [tuning updates] [part: all, untuned, karras or phase1]
# The parts after the first call can run side by side, e.g. one on each core.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/results} samples=${2:-5000} updates=${3:-600} part=${4:-all}
fewstep() { dotnet run -c Release --no-build --project src/FewStep.Cli -- "$@"; }
if [ ! -e "$out/schedules/loss-curve.json" ]; then
    dotnet build -c Release src/FewStep.Cli
    fewstep schedule --steps 3,4,5,6,8,10 --curve-points 64 --precision 0.05 --out "$out/schedules"
fi

common=(--curve "$out/schedules/loss-curve.json" --samples "$samples")

# Schedules alone, weights untouched.
if [ "$part" = all ] || [ "$part" = untuned ]; then
    fewstep evaluate "${common[@]}" --steps 3,4,5,6,8,10 --teacher karras --teacher-steps 8 --out "$out/untuned"
fi

# Schedule crossed with tuning, after a quarter, half and all of the updates.
for name in karras phase1; do
    if [ "$part" != all ] && [ "$part" != "$name" ]; then continue; fi
    case $name in
        karras) target=(--schedule karras --steps 4) ;;
        phase1) target=(--schedule "$out/schedules/phase1-power-0-n4.sampler.json") ;;
    esac
    models=(--model models/fashion-mnist)
    for loss in trajectory denoise; do
        folder=$out/$name-$loss
        fewstep tune "${target[@]}" --loss "$loss" --updates "$updates" --patience 0 --out "$folder"
        for share in 4 2 1; do
            models+=(--model "$loss 1/$share=$folder/snapshots/update-$((updates / share))")
        done
    done
    fewstep evaluate "${models[@]}" "${common[@]}" --schedules "$name" --steps 4 --out "$out/tuned-on-$name"
done
