#!/usr/bin/env bash
# Makes the figures of noise-schedules.md: the same small network trained with EDM, VP and VE preconditioning, and what schedules do for each. Some hour and a half on one core; repeated, it goes on where it was.
#   docs/results/noise-schedules.sh [folder] [images trained on] [samples in a seed range]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/noise-schedules} images=${2:-100000} samples=${3:-200}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@"; }
for kind in edm vp ve; do
    fewstep train --config "docs/results/noise-schedules-$kind.json" --loss "$kind" --data data/fashion-mnist --images "$images" --batch 64 --learning-rate 1e-3 --seed 1 --dtype bfloat16 --out "$out/$kind"
    fewstep compare --model "$out/$kind/model" --solvers euler --nfe 4,6,8,10 --schedules karras,log-snr,uniform-t,quadratic-t,cosine,flow,phase1,gits --samples "$samples" --ranges 3 --out "$out/$kind/comparison"
done
