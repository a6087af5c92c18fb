#!/usr/bin/env bash
# Makes the figures of transfer.md: fitted samplers of the embedded model, used at another guidance weight, for other classes than they were
# fitted for, on the model tuned since, and on other checkpoints. Three quarters of an hour on one core; repeated, it goes on where it was.
#   docs/results/transfer.sh [folder] [samples in a seed range]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/transfer} samples=${2:-500} data=data/fashion-mnist
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "${THREADS:-0}"; }
fit() { [ -e "$1/fit.html" ] || fewstep fit --keep-mean-square false --steps 3,4 "${@:2}" --out "$1"; }
# A model at some guidance with samplers of some folders, beside a sampler that nobody fits and the model's own teacher.
measure() {
    local name=$1 samplers=()
    shift
    while [ "$1" != -- ]; do samplers+=(--sampler "$1/n3.sampler.json" --sampler "$1/n4.sampler.json"); shift; done
    fewstep evaluate "${@:2}" --any-model "${samplers[@]}" --sampler karras/ipndm:3/3 --sampler karras/ipndm:3/4 --teacher karras \
        --teacher-steps 20 --metrics fd,endpoint --samples "$samples" --strip-seeds none --out "$out/$name"
}

for weight in 1 1.5 2.5; do fit "$out/guidance-$weight" --guidance "$weight"; done
for weight in 1 1.5 2.5; do
    measure "at-guidance-$weight" "$out/guidance-1" "$out/guidance-1.5" "$out/guidance-2.5" -- --guidance "$weight"
done

for class in Trouser Bag -1; do fit "$out/class-$class" --label "$class"; done
measure classes "$out/guidance-1" "$out/class-Trouser" "$out/class-Bag" "$out/class--1" --

# The model tuned since, to four steps of Euler on the fitted sampler's sigmas.
tuned=$out/tuned
fewstep tune --schedule "$out/guidance-1/n4.sampler.json" --solver euler --updates 200 --patience 0 --snapshots none --out "$tuned"
fit "$out/fit-tuned" --model "$tuned" --data "$data"
measure on-tuned "$out/guidance-1" "$out/fit-tuned" -- --model "$tuned" --sampler "$tuned/sampler.json"
measure on-untuned "$out/guidance-1" "$out/fit-tuned" --

# A small model after 60,000 images, and after 30,000 more.
earlier=$out/earlier/model later=$out/later/model
learn=(train --data "$data" --batch 64 --ema 20000)
fewstep "${learn[@]}" --config docs/results/noise-schedules-edm.json --loss edm --images 60000 \
    --learning-rate 1e-3 --seed 1 --out "$out/earlier"
fewstep "${learn[@]}" --model "$earlier" --images 30000 --learning-rate 5e-4 --seed 2 --out "$out/later"
fit "$out/fit-earlier" --model "$earlier" --data "$data"
fit "$out/fit-later" --model "$later" --data "$data"
measure on-earlier "$out/fit-earlier" "$out/fit-later" "$out/guidance-1" -- --model "$earlier"
measure on-later "$out/fit-earlier" "$out/fit-later" "$out/guidance-1" -- --model "$later"
