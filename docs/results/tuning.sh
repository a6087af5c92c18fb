#!/usr/bin/env bash
# Makes the figures of tuning.md: schedules crossed with tuning, the search for the schedule that tunes best, rounds of alternation; N = 4. Some four hours on one core; repeated, it goes on where it was.
#   docs/results/tuning.sh [folder] [samples in a seed range] [tuning updates] [part: all, cross, denoise, search or rounds]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/tuning} samples=${2:-500} updates=${3:-200} part=${4:-all}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@"; }

# Measures a tuning's snapshots after a quarter, half and all of the updates: folder, schedule.
measure() {
    local models=()
    for share in 4 2 1; do models+=(--model "1/$share=$1/snapshots/update-$((updates / share))"); done
    fewstep evaluate --model models/fashion-mnist "${models[@]}" --schedules "$2" --steps 4 --samples "$samples" --ranges 3 --out "$1/evaluation"
}

[ -e "$out/schedules/endpoint-euler-n4.sampler.json" ] || fewstep schedule --optimizer phase1,gits,ays,dm-nonuniform,optimal-steps,endpoint --steps 4 --out "$out/schedules"

for loss in trajectory denoise; do
    if [ "$part" != all ] && [ "$part" != "${loss/trajectory/cross}" ]; then continue; fi
    for name in karras phase1-power-0 gits endpoint-euler optimal-steps ays dm-nonuniform-euler log-snr; do
        schedule=$out/schedules/$name-n4.sampler.json
        [ -e "$schedule" ] || schedule=$name
        fewstep tune --schedule "$schedule" --steps 4 --loss "$loss" --updates "$updates" --patience 0 --out "$out/$name-$loss"
        measure "$out/$name-$loss" "$schedule"
    done
done

if [ "$part" = all ] || [ "$part" = search ]; then
    fewstep tune --schedule "karras,$out/schedules/phase1-power-0-n4.sampler.json,$out/schedules/gits-n4.sampler.json" --steps 4 --search 16 --search-updates 50 --updates "$updates" --patience 0 --out "$out/search"
    measure "$out/search" "$out/search/sampler.json"
fi

if [ "$part" = all ] || [ "$part" = rounds ]; then
    for rounds in 1 3; do
        resume=()
        if [ -d "$out/rounds-$rounds" ]; then resume=(--resume); fi
        fewstep run --steps 4 --rounds "$rounds" --updates $((updates / rounds)) --patience 0 --samples "$samples" --out "$out/rounds-$rounds" ${resume[@]+"${resume[@]}"}
    done
fi
