#!/usr/bin/env bash
# Makes the figures of noise-schedules.md: the same small network trained with EDM's, VP's and VE's preconditioning, and what schedules, solvers and fits do for each. Some three hours on one core; repeated, it goes on where it was.
#   docs/results/noise-schedules.sh [folder] [images trained on] [samples in a seed range]
# KINDS ("edm vp ve") are the models, STEPS the numbers of steps, SCHEDULES and SOLVERS what stands beside the fitted samplers and the
# teacher, MATCH a classifier that does not judge, by which the fitted samplers are matched to real images as well (MATCH_OPTIONS has a
# match's options), KEPT (any word) that fits which keep the mean square stand beside those that do not, and are the ones that are matched,
# JUDGE a classifier that judges beside the headline's, THREADS the number of threads of each command. Another number of samples is
# measured into a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
source docs/results/fit-missing.sh
out=${1:-runs/noise-schedules} images=${2:-400000} samples=${3:-200} threads=${THREADS:-0} steps=${STEPS:-3,4,5,6,8,10}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "$threads"; }
judges=()
[ -z "${JUDGE:-}" ] || judges=(--held-back "$JUDGE")
for kind in ${KINDS:-edm vp ve}; do
    # VP's and VE's networks predict noise that is multiplied by as much as 152: bfloat16 rounds it to a pixel's range.
    [ -e "$out/$kind/done" ] || fewstep train --config "docs/results/noise-schedules-$kind.json" --loss "$kind" --data data/fashion-mnist \
        --images "$images" --batch 64 --learning-rate 1e-3 --ema 20000 --seed 1 --dtype float32 --out "$out/$kind"
    touch "$out/$kind/done"
    fit_missing "$out/$kind/fit" "$steps" --model "$out/$kind/model" --keep-mean-square false
    [ -z "${KEPT:-}" ] || fit_missing "$out/$kind/fit-kept" "$steps" --model "$out/$kind/model" --keep-mean-square true
    fitted=()
    for n in ${steps//,/ }; do fitted+=(--sampler "$out/$kind/fit/n$n.sampler.json"); done
    for n in ${KEPT:+${steps//,/ }}; do fitted+=(--sampler "$out/$kind/fit-kept/n$n.sampler.json"); done
    for n in ${MATCH:+${steps//,/ }}; do
        matched=$out/$kind/matched${KEPT:+-kept}/n$n
        [ -e "$matched/match.html" ] || fewstep match --model "$out/$kind/model" --data data/fashion-mnist ${MATCH_OPTIONS:-} \
            --sampler "$out/$kind/fit${KEPT:+-kept}/n$n.sampler.json" --classifier "$MATCH" --out "$matched"
        fitted+=(--sampler "$matched/n$n.sampler.json")
    done
    fewstep evaluate --model "$out/$kind/model" --curve "$out/$kind/fit/loss-curve.json" \
        --schedules "${SCHEDULES:-karras,uniform-t,phase1,gits,propagated}" --solver "${SOLVERS:-euler,ipndm:3,unipc:3:thresholding=false}" \
        --steps "$steps" "${fitted[@]}" --teacher karras --teacher-steps 32 --metrics fd,endpoint "${judges[@]}" --samples "$samples" \
        --strip-seeds none --out "$out/$kind/evaluation-$samples"
done
