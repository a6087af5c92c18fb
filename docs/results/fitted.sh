#!/usr/bin/env bash
# Makes the figures of fitted.md: fitted samplers, the losses of Phase 2, what a refinement minimises. Interrupt it at will; repeated, it goes
# on where it was.
#   docs/results/fitted.sh [folder] [part: fits, losses, objectives or large]
# FASHION_MNIST may name the whole data set, for the classifiers; THREADS is the number of threads of each command.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/fitted} part=${2:?name a part} threads=${THREADS:-0} data=${FASHION_MNIST:-data/fashion-mnist}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "$threads"; }
measure() { fewstep evaluate --strip-seeds none "$@"; }
held_back=$out/held-back-classifier

# Both judges: the headline's classifier, and one of another seed and width that nothing is tuned or chosen by.
judge() {
    local name=$1
    shift
    measure "$@" --samples 500 --out "$out/$name"
    measure "$@" --samples 500 --metrics fd,kid,prdc --features classifier --classifier "$held_back" --out "$out/$name-held-back"
}

case $part in
    fits)
        [ -e "$held_back/config.json" ] || fewstep train-classifier --data "$data" --out "$held_back" --seed 2 --channels 48,80,128 \
            --metric-name "FD (held-back features)" --feature-name "held-back features"
        fewstep fit --steps 1,2,3,4 --out "$out/fit"
        ;;

    # The losses of Phase 2 at equal network evaluations, a backward pass counted as two: with the fitted solver, or Euler on its sigmas.
    losses)
        for loss in regression trajectory endpoint consistency denoise; do
            for n in 2 1 3 4; do
                case $loss in
                    denoise) each=$((48 * n)) ;;
                    consistency) each=$((56 * n + 64)) ;;
                    *) each=$((48 * n + 64)) ;;
                esac
                case $loss in
                    regression | consistency) target=(--schedule "$out/fit/n$n.sampler.json" --solver euler) ;;
                    *) target=(--sampler "$out/fit/n$n.sampler.json") ;;
                esac
                folder=$out/losses/n$n-$loss updates=$((${EVALUATIONS:-30000} / each))
                [ -e "$folder/done" ] || fewstep tune "${target[@]}" --loss "$loss" --updates "$updates" --patience 0 \
                    --check-every "$updates" --snapshots none --out "$folder"
                touch "$folder/done"
                judge "losses/n$n-$loss-measured" --model "$folder" --sampler "$folder/sampler.json"
            done
        done
        ;;

    # What the refinement of sigmas and weights minimises: pixels, or the model's own activations as well.
    objectives)
        samplers=()
        for n in 2 3 4; do samplers+=(--sampler "$out/fit/n$n.sampler.json"); done
        for distance in pixels encoder; do
            [ -e "$out/objectives/$distance/fit.html" ] || fewstep fit --steps 2,3,4 --curve "$out/fit/loss-curve.json" --refine 6 \
                --latents 128 --distance "$distance" --out "$out/objectives/$distance"
            for n in 2 3 4; do samplers+=(--sampler "$out/objectives/$distance/n$n.sampler.json"); done
        done
        judge objectives/measured "${samplers[@]}"
        ;;

    # With 5,000 images in each range; each tuning takes less than five minutes on two processors.
    large)
        for updates in 600 1000; do
            fewstep tune --sampler karras/euler/1 --updates "$updates" --patience 0 --snapshots none --out "$out/tuned/n1-$updates"
        done
        fewstep tune --schedule "$out/fit/n2.sampler.json" --solver euler --updates 500 --patience 0 --snapshots none --out "$out/tuned/n2"
        for n in n1-600 n1-1000 n2; do
            measure --model "$out/tuned/$n" --sampler "$out/tuned/$n/sampler.json" --samples 5000 --out "$out/large-$n"
        done
        measure --sampler "$out/fit/n3.sampler.json" --sampler "$out/fit/n4.sampler.json" --samples 5000 --out "$out/large"
        ;;
esac
