#!/usr/bin/env bash
# Makes the figures of fashion-mnist.md: a few hours on two cores. Interrupt it at will; repeated, it goes on where it was.
#   docs/results/fashion-mnist.sh [folder] [samples in a seed range] [tuning updates]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/results} samples=${2:-5000} updates=${3:-1200}
dotnet build -c Release src/FewStep.Cli
fewstep() { dotnet run -c Release --no-build --project src/FewStep.Cli -- "$@"; }

# Schedules alone, weights untouched.
fewstep evaluate --out "$out/untuned" --samples "$samples" --steps 3,4,5,6,8,10 --teacher karras --teacher-steps 8

# Schedule crossed with tuning, after a quarter, half and all of the updates.
curve=$out/untuned/loss-curve.json
fewstep schedule --curve "$curve" --steps 4 --out "$out/schedules"
for name in karras phase1; do
    case $name in
        karras) target=(--schedule karras --steps 4) ;;
        phase1) target=(--schedule "$out/schedules/phase1-power-0-n4.schedule.json") ;;
    esac
    models=(--model models/fashion-mnist)
    for loss in trajectory denoise; do
        folder=$out/$name-$loss
        fewstep tune "${target[@]}" --loss "$loss" --updates "$updates" --patience 0 --out "$folder"
        for part in 4 2 1; do
            models+=(--model "$loss 1/$part=$folder/snapshots/update-$((updates / part))")
        done
    done
    fewstep evaluate "${models[@]}" --schedules "$name" --steps 4 --curve "$curve" --samples "$samples" --teacher karras --teacher-steps 8 --out "$out/tuned-on-$name"
done
