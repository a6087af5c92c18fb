#!/usr/bin/env bash
# Makes the figures of fitted.md: fitted samplers beside the others, what a refinement minimises, the losses of Phase 2. Interrupt it at
# will; repeated, it goes on where it was.
#   docs/results/fitted.sh [folder] [part: fits, table, large, objectives, losses, tuned or matched]
# MODEL, DATA, REFERENCE and CLASSIFIER name another model than the embedded one; HELD_BACK and OTHER have the options of its second
# classifier, which judges, and of its third, which losses may compare images by; FULL_DATA names more images to train them on. FIT has
# those of the fit, MATCH those of a match, TUNE further ones of the tunings, KEEP whether fits keep the mean square (false, as in most
# tables). SAMPLES is the number of images in each of the three ranges, STEPS a list of numbers of steps, SCHEDULES and SOLVERS what the
# table has beside the fitted ones and the teacher (TEACHER=none leaves it out), METRICS what is measured; LOSSES are those compared, at
# EVALUATIONS each; UPDATES_1, UPDATES_2, DISTANCE and ENERGY are of the longer tunings. THREADS is the number of threads of each command.
set -euo pipefail
cd "$(dirname "$0")/../.."
source docs/results/fit-missing.sh
out=${1:-runs/fitted} part=${2:?name a part} threads=${THREADS:-0} samples=${SAMPLES:-500} evaluations=${EVALUATIONS:-30000}
data=${DATA:-data/fashion-mnist} keep=${KEEP:-false}
read -ra second <<< "${HELD_BACK:---channels 48,80,128 --epochs 4}"
read -ra third <<< "${OTHER:---channels 40,72,112 --epochs 4}"
about=(--data "$data") real=(--data "$data") classes=()
[ -z "${MODEL:-}" ] || about=(--model "$MODEL" --data "$data")
[ -z "${REFERENCE:-}" ] || { real+=(--reference "$REFERENCE" --classifier "$CLASSIFIER") classes=(--test "$REFERENCE"); }
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "$threads"; }
held_back=$out/held-back-classifier other=$out/tuning-classifier

# Both judges: the headline's classifier and, once the part fits has trained it, one of another seed and width that nothing is tuned or
# chosen by.
measure() {
    local name=$1
    shift
    local judges=()
    [ ! -e "$held_back/config.json" ] || judges=(--held-back "$held_back")
    fewstep evaluate --strip-seeds "${STRIP:-none}" "${real[@]}" --metrics "${METRICS:-fd}" "${judges[@]}" \
        --samples "$samples" --out "$out/$name" "$@"
}
untuned() { if [ -n "${MODEL:-}" ]; then measure "$@" --model "$MODEL"; else measure "$@"; fi; }
fitted() { for n in ${1//,/ }; do printf '%s\n' --sampler "$out/fit/n$n.sampler.json"; done; }

# A tuning once, and what it gives: its name, its target, its options.
tuned() {
    local name=$1
    shift
    [ -e "$out/$name/done" ] || fewstep tune "${about[@]}" "$@" ${TUNE:-} --patience 0 --snapshots none \
        --out "$out/$name"
    touch "$out/$name/done"
    measure "$name-measured" --model "$out/$name" --sampler "$out/$name/sampler.json"
}

case $part in
    fits)
        [ -e "$held_back/config.json" ] || fewstep train-classifier --data "${FULL_DATA:-$data}" "${classes[@]}" --out "$held_back" --seed 2 \
            "${second[@]}" --metric-name "FD (held-back features)" --feature-name "held-back features"
        [ -e "$other/config.json" ] || fewstep train-classifier --data "${FULL_DATA:-$data}" "${classes[@]}" --out "$other" --seed 3 \
            "${third[@]}"
        fit_missing "$out/fit" "${STEPS:-1,2,3,4,5,6,8,10}" "${about[@]}" ${FIT:-} --keep-mean-square "$keep"
        ;;

    # The samplers of the house, with those that were refined where the part objectives made them, and the teacher of 40 evaluations.
    table)
        numbers=${STEPS:-2,3,4,5,6,8,10} solvers=${SOLVERS:-euler,ipndm:3,unipc:3:thresholding=false,dpmpp:3:thresholding=false}
        mapfile -t samplers < <(fitted "$numbers")
        for file in "$out"/objectives/{encoder,classifier}/*.sampler.json; do
            [ ! -e "$file" ] || samplers+=(--sampler "$file")
        done
        teacher=(--teacher karras --teacher-steps 20)
        [ "${TEACHER:-}" != none ] || teacher=()
        METRICS=fd${teacher:+,endpoint} untuned table --schedules "${SCHEDULES:-karras,gits,phase1}" --solver "$solvers" --steps "$numbers" \
            --curve "$out/fit/loss-curve.json" "${samplers[@]}" "${teacher[@]}"
        ;;

    # With 5,000 images in each range (SAMPLES), beside the teacher of 40 evaluations.
    large)
        mapfile -t samplers < <(fitted "${STEPS:-3,4}")
        for refined in "$out"/objectives/{encoder,classifier}/n3.sampler.json; do
            [ ! -e "$refined" ] || samplers+=(--sampler "$refined")
        done
        samples=${SAMPLES:-5000} untuned large "${samplers[@]}" --sampler karras/ipndm:3/4 --sampler karras/heun/20
        ;;

    # Steps that keep the mean square; and what the refinement of sigmas and weights minimises: pixels, or the model's own activations as
    # well, or those of a classifier that does not judge.
    objectives)
        mapfile -t samplers < <(fitted 2,3,4)
        for objective in kept pixels encoder "classifier:$other"; do
            folder=$out/objectives/${objective%%:*}
            how=(--refine 6 --latents 128 --distance "$objective" --keep-mean-square "$keep")
            [ "$objective" != kept ] || how=(--keep-mean-square true)
            [ -e "$folder/fit.html" ] || fewstep fit "${about[@]}" --steps 2,3,4 --curve "$out/fit/loss-curve.json" "${how[@]}" \
                --out "$folder"
            for n in 2 3 4; do samplers+=(--sampler "$folder/n$n.sampler.json"); done
        done
        untuned objectives/measured "${samplers[@]}"
        ;;

    # The losses of Phase 2 at equal network evaluations, a backward pass counted as two: with the fitted solver, or Euler on its sigmas.
    losses)
        numbers=${STEPS:-2,1,3,4}
        for n in ${numbers//,/ }; do
            for loss in ${LOSSES:-regression trajectory endpoint consistency denoise}; do
                case $loss in
                    denoise) each=$((48 * n)) ;;
                    regression) each=$((48 * n + 16 * (n - 1) + 64)) ;;
                    consistency) each=$((56 * n + 16 * (n - 1) + 64)) ;;
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

    # Longer tunings at one, two and three steps, of six to eight minutes on one processor with AVX-512 BF16. DISTANCE is that of
    # all, ENERGY the weight of the first two. The third is of the refined sampler, which the part objectives makes.
    tuned)
        distance=(--distance "${DISTANCE:-classifier:$other}") energy=${ENERGY:-6}
        tuned tuned/n1 --sampler karras/euler/1 --updates "${UPDATES_1:-2000}" "${distance[@]}" --energy "$energy"
        tuned tuned/n2 --schedule "$out/fit/n2.sampler.json" --solver euler --updates "${UPDATES_2:-2000}" "${distance[@]}" \
            --energy "$energy"
        [ ! -e "$out/objectives/classifier/n3.sampler.json" ] || tuned tuned/n3 --sampler "$out/objectives/classifier/n3.sampler.json" \
            --loss endpoint --updates 200 --tune-batch 48 --learning-rate 0.0001 "${distance[@]}" --energy 200
        ;;

    # Fitted samplers, and what was tuned at one and two steps, matched to real images by the classifier that does not judge.
    matched)
        numbers=${STEPS:-2,3,4,6} samplers=()
        for n in ${numbers//,/ }; do
            [ -e "$out/matched/n$n/match.html" ] || fewstep match "${about[@]}" ${MATCH:-} --sampler "$out/fit/n$n.sampler.json" \
                --classifier "$other" --out "$out/matched/n$n"
            samplers+=(--sampler "$out/matched/n$n/n$n.sampler.json")
        done
        untuned matched/measured "${samplers[@]}"
        for n in 1 2; do
            [ -e "$out/tuned/n$n/done" ] || continue
            folder=$out/tuned/n$n-matched
            [ -e "$folder/match.html" ] || fewstep match --model "$out/tuned/n$n" --data "$data" ${MATCH:-} --classifier "$other" \
                --out "$folder"
            measure "tuned/n$n-matched-measured" --model "$out/tuned/n$n" --sampler "$folder/n$n.sampler.json"
        done
        ;;
esac
