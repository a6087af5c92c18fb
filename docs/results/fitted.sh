#!/usr/bin/env bash
# Makes the figures of fitted.md: fitted samplers beside the others, what a refinement minimises, the losses of Phase 2, alternation, and
# fitted samplers in other hands than they were fitted for. Interrupt it at will; repeated, it goes on where it was.
#   docs/results/fitted.sh [folder] [part: fits, table, large, objectives, losses, tuned, alternation or transfer]
# MODEL, DATA, REFERENCE and CLASSIFIER name another model than the embedded one; HELD_BACK has the options of its second classifier; SAMPLES
# is the number of images in each of the three ranges, THREADS the number of threads of each command.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/fitted} part=${2:?name a part} threads=${THREADS:-0} samples=${SAMPLES:-500} evaluations=${EVALUATIONS:-30000}
data=${DATA:-data/fashion-mnist}
read -ra second <<< "${HELD_BACK:---channels 48,80,128 --epochs 4}"
about=(--data "$data") real=(--data "$data") classes=()
[ -z "${MODEL:-}" ] || about=(--model "$MODEL" --data "$data")
[ -z "${REFERENCE:-}" ] || { real+=(--reference "$REFERENCE" --classifier "$CLASSIFIER") classes=(--test "$REFERENCE"); }
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "$threads"; }
held_back=$out/held-back-classifier

# Both judges: the headline's classifier, and one of another seed and width that nothing is tuned or chosen by.
measure() {
    local name=$1
    shift
    fewstep evaluate --strip-seeds "${STRIP:-none}" "${real[@]}" --metrics "${METRICS:-fd}" --held-back "$held_back" \
        --samples "$samples" --out "$out/$name" "$@"
}
untuned() { if [ -n "${MODEL:-}" ]; then measure "$@" --model "$MODEL"; else measure "$@"; fi; }
fitted() { for n in "$@"; do echo --sampler "$out/fit/n$n.sampler.json"; done; }

# A tuning once, and what it gives: its name, its target, its options.
tuned() {
    local name=$1
    shift
    [ -e "$out/$name/done" ] || fewstep tune "${about[@]}" "$@" --patience 0 --snapshots none --out "$out/$name"
    touch "$out/$name/done"
    measure "$name-measured" --model "$out/$name" --sampler "$out/$name/sampler.json"
}

case $part in
    fits)
        [ -e "$held_back/config.json" ] || fewstep train-classifier --data "${FULL_DATA:-$data}" "${classes[@]}" --out "$held_back" --seed 2 \
            "${second[@]}" --metric-name "FD (held-back features)" --feature-name "held-back features"
        [ -e "$out/fit/fit.html" ] || fewstep fit "${about[@]}" --steps 1,2,3,4,5,6,8,10 --out "$out/fit"
        ;;

    # All samplers of the house at all numbers of steps.
    table)
        mapfile -t samplers < <(fitted 1 2 3 4 5 6 8 10 | xargs -n1)
        for n in 2 3 4; do [ ! -e "$out/objectives/encoder/n$n.sampler.json" ] || samplers+=(--sampler "$out/objectives/encoder/n$n.sampler.json"); done
        [ -e "$out/endpoint/done" ] || fewstep schedule "${about[@]}" --optimizer endpoint --solver ipndm:3 --steps "${ENDPOINT_STEPS:-3,4,5,6}" \
            --curve "$out/fit/loss-curve.json" --out "$out/endpoint"
        touch "$out/endpoint/done"
        for file in "$out"/endpoint/*.sampler.json; do samplers+=(--sampler "$file"); done
        for n in 2 3 4 5 6 8 10; do
            for solver in unipc:3:thresholding=false dpmpp:3:thresholding=false; do samplers+=(--sampler "karras/$solver/$n"); done
        done
        STRIP=0-9 METRICS=fd,endpoint untuned table --schedules karras,gits,phase1 --solver euler,ipndm:3 --steps 2,3,4,5,6,8,10 \
            --curve "$out/fit/loss-curve.json" --sampler karras/euler/1 "${samplers[@]}" --teacher karras --teacher-steps 20
        ;;

    # With 5,000 images in each range, beside the teacher of 40 evaluations.
    large)
        mapfile -t samplers < <(fitted 3 4 | xargs -n1)
        samples=5000 untuned large "${samplers[@]}" --sampler karras/ipndm:3/4 --sampler karras/heun/20
        ;;

    # What the refinement of sigmas and weights minimises: pixels, or the model's own activations as well.
    objectives)
        mapfile -t samplers < <(fitted 2 3 4 | xargs -n1)
        for distance in pixels encoder; do
            [ -e "$out/objectives/$distance/fit.html" ] || fewstep fit "${about[@]}" --steps 2,3,4 --curve "$out/fit/loss-curve.json" \
                --refine 6 --latents 128 --distance "$distance" --out "$out/objectives/$distance"
            for n in 2 3 4; do samplers+=(--sampler "$out/objectives/$distance/n$n.sampler.json"); done
        done
        untuned objectives/measured "${samplers[@]}"
        ;;

    # The losses of Phase 2 at equal network evaluations, a backward pass counted as two: with the fitted solver, or Euler on its sigmas.
    losses)
        for n in ${STEPS:-2 1 3 4}; do
            for loss in ${LOSSES:-regression trajectory endpoint consistency denoise}; do
                case $loss in
                    denoise) each=$((48 * n)) ;;
                    consistency) each=$((56 * n + 64)) ;;
                    *) each=$((48 * n + 64)) ;;
                esac
                case $loss in
                    regression | consistency) target=(--schedule "$out/fit/n$n.sampler.json" --solver euler) ;;
                    *) target=(--sampler "$out/fit/n$n.sampler.json") ;;
                esac
                updates=$((evaluations / each))
                tuned "losses/n$n-$loss" "${target[@]}" --loss "$loss" --updates "$updates" --check-every "$updates"
            done
        done
        ;;

    # Longer tunings at one and two steps; each takes some five minutes on two processors.
    tuned)
        tuned tuned/n1 --sampler karras/euler/1 --updates "${UPDATES_1:-1000}"
        tuned tuned/n2 --schedule "$out/fit/n2.sampler.json" --solver euler --updates "${UPDATES_2:-500}"
        ;;

    # None, once, or in turns, at the same number of updates and for three seeds: `run`'s rounds of sigmas, weights and tuning.
    alternation)
        updates=${UPDATES:-180}
        for seed in 0 1 2; do
            for rounds in 0 1 3; do
                folder=$out/alternation/seed$seed-rounds$rounds
                [ -e "$folder/metrics.json" ] || fewstep run "${about[@]}" "${real[@]:2}" --steps "${N:-2}" --rounds "$rounds" --seed "$seed" \
                    --updates $((rounds == 0 ? updates : updates / rounds)) --metrics fd --held-back "$held_back" --samples "$samples" \
                    --strip-seeds none --out "$folder"
            done
        done
        ;;

    # What a fit is worth where it was not made: at other guidance scales, for one class alone, on the model after tuning.
    transfer)
        for scale in ${SCALES:-}; do
            [ -e "$out/transfer/guidance-$scale/fit.html" ] || fewstep fit "${about[@]}" --steps 4 --guidance "$scale" \
                --curve "$out/fit/loss-curve.json" --out "$out/transfer/guidance-$scale"
        done
        ;;
esac
