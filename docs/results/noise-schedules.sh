#!/usr/bin/env bash
# Makes the figures of noise-schedules.md: the same small network trained with EDM, VP and VE preconditioning, what schedules do for each, and
# samplers fitted to each. Some three hours on one core; repeated, it goes on where it was.
#   docs/results/noise-schedules.sh [folder] [images trained on] [samples in a seed range] [models: edm,vp,ve]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/noise-schedules} images=${2:-400000} samples=${3:-200} models=${4:-edm,vp,ve} data=data/fashion-mnist
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "${THREADS:-0}"; }
for kind in ${models//,/ }; do
    # VP's and VE's networks must give the noise to a hundredth of a percent where sigma is largest: more than bfloat16 holds.
    dtype=float32
    [ "$kind" != edm ] || dtype=bfloat16
    fewstep train --config "docs/results/noise-schedules-$kind.json" --loss "$kind" --data "$data" --images "$images" --batch 64 \
        --learning-rate 1e-3 --ema 20000 --seed 1 --dtype "$dtype" --out "$out/$kind"
    [ -e "$out/$kind/fit/fit.html" ] || fewstep fit --model "$out/$kind/model" --data "$data" --out "$out/$kind/fit"
    samplers=()
    for n in 3 4 5 6 8 10; do samplers+=(--sampler "$out/$kind/fit/n$n.sampler.json"); done
    about=(--model "$out/$kind/model" --curve "$out/$kind/fit/loss-curve.json" --samples "$samples" --strip-seeds none)
    fewstep evaluate "${about[@]}" --schedules karras,log-snr,uniform-t,quadratic-t,cosine,flow,phase1,gits,propagated --solver euler \
        --steps 4,6,8,10 --metrics fd,endpoint --teacher karras --teacher-steps 32 --out "$out/$kind/comparison"
    fewstep evaluate "${about[@]}" --schedules karras,gits,phase1 --solver ipndm:3,unipc:3:thresholding=false --steps 3,4,5,6,8,10 \
        --metrics fd "${samplers[@]}" --out "$out/$kind/fitted"
done
