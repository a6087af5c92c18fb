#!/usr/bin/env bash
# Makes the figures of tuning.md: schedules crossed with tuning, the search for the schedule that tunes best, rounds of alternation; N = 4. Some four hours on one core; repeated, it goes on where it was.
#   docs/results/tuning.sh [folder] [samples in a seed range] [tuning updates] [part: all, cross, search or rounds]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/tuning} samples=${2:-500} updates=${3:-200} part=${4:-all}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@"; }
models=(--model models/fashion-mnist)

# Adds a tuned model's snapshots to the models of the next comparison.
snapshots() { for share in 4 2 1; do models+=(--model "$2 1/$share=$1/snapshots/update-$((updates / share))"); done; }
measure() { fewstep evaluate "${models[@]}" --schedules "$1" --steps 4 --samples "$samples" --ranges 3 --out "$2"; }

if [ ! -e "$out/schedules/endpoint-euler-n4.schedule.json" ]; then
    fewstep schedule --optimizer phase1,gits,ays,dm-nonuniform,optimal-steps,endpoint --steps 4 --out "$out/schedules"
fi

if [ "$part" = all ] || [ "$part" = cross ]; then
    for name in karras phase1 gits endpoint ays optimal-steps log-snr dm-nonuniform; do
        schedule=$(ls "$out/schedules/$name"*n4.schedule.json 2>/dev/null | head -n 1 || true)
        schedule=${schedule:-$name}
        models=(--model models/fashion-mnist)
        for loss in trajectory denoise; do
            fewstep tune --schedule "$schedule" --steps 4 --loss "$loss" --updates "$updates" --patience 0 --out "$out/$name-$loss"
            snapshots "$out/$name-$loss" "$loss"
        done
        measure "$schedule" "$out/$name"
    done
fi

if [ "$part" = all ] || [ "$part" = search ]; then
    fewstep tune --schedule "karras,$out/schedules/phase1-power-0-n4.schedule.json,$out/schedules/gits-n4.schedule.json" --steps 4 --search 16 --search-updates 50 --updates "$updates" --patience 0 --out "$out/search"
    models=(--model models/fashion-mnist)
    snapshots "$out/search" trajectory
    measure "$out/search/run.schedule.json" "$out/search/evaluation"
fi

if [ "$part" = all ] || [ "$part" = rounds ]; then
    for rounds in 1 3; do
        resume=()
        if [ -d "$out/rounds-$rounds" ]; then resume=(--resume); fi
        fewstep run --steps 4 --rounds "$rounds" --updates $((updates / rounds)) --patience 0 --samples "$samples" --out "$out/rounds-$rounds" ${resume[@]+"${resume[@]}"}
    done
fi
