#!/usr/bin/env bash
# Makes the figures of transfer.md: fitted samplers of the embedded model, used at another guidance weight, for other classes than they were
# fitted for, and on other checkpoints of the model. Half an hour on one core; repeated, it goes on where it was.
#   docs/results/transfer.sh [folder] [samples in a seed range]
# TRAINED is a folder of noise-schedules.sh, whose EDM model is trained on for the third table.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/transfer} samples=${2:-500} trained=${TRAINED:-runs/noise-schedules}/edm images=${IMAGES:-100000}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "${THREADS:-0}"; }
fit() { [ -e "$1/fit.html" ] || fewstep fit --steps 3,4 --curve "$out/loss-curve.json" "${@:2}" --out "$1"; }
# A model at some guidance with samplers of some folders, beside a sampler that nobody fits and the model's own teacher.
measure() {
    local name=$1 samplers=()
    shift
    while [ "$1" != -- ]; do samplers+=(--sampler "$1/n3.sampler.json" --sampler "$1/n4.sampler.json"); shift; done
    fewstep evaluate "${@:2}" --any-model "${samplers[@]}" --sampler karras/ipndm:3/3 --sampler karras/ipndm:3/4 --teacher karras \
        --teacher-steps 20 --metrics fd,endpoint --samples "$samples" --strip-seeds none --out "$out/$name"
}

if [ ! -e "$out/loss-curve.json" ]; then
    fewstep schedule --steps 4 --out "$out/curve"
    cp "$out/curve/loss-curve.json" "$out/loss-curve.json"
fi

for weight in 1 1.5 2.5; do fit "$out/guidance-$weight" --guidance "$weight"; done
for weight in 1 1.5 2.5; do
    measure "at-guidance-$weight" "$out/guidance-1" "$out/guidance-1.5" "$out/guidance-2.5" -- --guidance "$weight"
done

for class in Trouser Bag -1; do fit "$out/class-$class" --label "$class"; done
measure classes "$out/guidance-1" "$out/class-Trouser" "$out/class-Bag" "$out/class--1" --

# A checkpoint, and the same training gone on from it.
later=$out/later
[ -e "$later/model/config.json" ] || fewstep train --model "$trained/model" --data data/fashion-mnist --images "$images" --batch 64 \
    --learning-rate 5e-4 --ema 20000 --seed 2 --out "$later"
for name in earlier later; do
    model=$later/model
    [ $name = later ] || model=$trained/model
    [ -e "$out/$name-fit/fit.html" ] || fewstep fit --model "$model" --data data/fashion-mnist --steps 3,4 --out "$out/$name-fit"
done
measure on-earlier "$out/earlier-fit" "$out/later-fit" "$out/guidance-1" -- --model "$trained/model"
measure on-later "$out/earlier-fit" "$out/later-fit" "$out/guidance-1" -- --model "$later/model"
