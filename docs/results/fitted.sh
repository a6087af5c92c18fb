#!/usr/bin/env bash
# Makes the figures of fitted.md: fitted samplers, what they are tuned to, and what both are measured against. Interrupt it at will; repeated,
# it goes on where it was.
#   docs/results/fitted.sh [folder] [part: fits, losses, objectives, table, large, cifar10, noise, transfer or alternation]
# CIFAR-10's images are wanted in CIFAR10_TRAIN and CIFAR10_TEST; THREADS is the number of threads of each command.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/fitted} part=${2:?name a part} threads=${THREADS:-0} data=${FASHION_MNIST:-data/fashion-mnist}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@" --threads "$threads"; }
measure() { fewstep evaluate --strip-seeds none "$@"; }
held_back=$out/held-back-classifier objective=$out/objective-classifier

# Two further classifiers: one whose activations may be an objective, one that nothing ever optimises.
classifiers() {
    [ -e "$objective/config.json" ] || fewstep train-classifier --data "$data" --out "$objective" --seed 1 \
        --metric-name "FD (objective features)" --feature-name "objective features"
    [ -e "$held_back/config.json" ] || fewstep train-classifier --data "$data" --out "$held_back" --seed 2 --channels 48,80,128 \
        --metric-name "FD (held-back features)" --feature-name "held-back features"
}

# Both judges: the headline's classifier, and the one that was held back.
judge() {
    local name=$1
    shift
    measure "$@" --out "$out/$name"
    measure "$@" --metrics fd,kid,prdc --features classifier --classifier "$held_back" --out "$out/$name-held-back"
}

case $part in
    fits)
        classifiers
        fewstep fit --steps 1,2,3,4,5,6,8,10 --out "$out/fit"
        fewstep fit --steps 2,3,4 --curve "$out/fit/loss-curve.json" --refine 10 --out "$out/refined"
        ;;

    # Four losses of Phase 2 from the fitted sampler, and the paper's, at equal network evaluations, a backward pass counted as two.
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
                judge "losses/n$n-$loss-measured" --model "$folder" --sampler "$folder/sampler.json" --samples 500
            done
        done
        ;;

    # What the refinement minimises: pixels, the model's own activations, a classifier's.
    objectives)
        for distance in pixels encoder "classifier:$objective"; do
            name=${distance%%:*}
            [ -e "$out/objectives/$name/fit.html" ] || fewstep fit --steps 2,3,4 --curve "$out/fit/loss-curve.json" --refine 6 \
                --latents 128 --distance "$distance" --out "$out/objectives/$name"
        done
        samplers=()
        for n in 2 3 4; do
            samplers+=(--sampler "$out/fit/n$n.sampler.json")
            for name in pixels encoder classifier; do samplers+=(--sampler "$out/objectives/$name/n$n.sampler.json"); done
        done
        judge objectives/measured "${samplers[@]}" --samples 500
        ;;

    # Everything without tuning at every number of steps.
    table)
        samplers=()
        for n in 2 3 4; do samplers+=(--sampler "$out/refined/n$n.sampler.json"); done
        for n in 1 2 3 4 5 6 8 10; do
            samplers+=(--sampler "$out/fit/n$n.sampler.json")
            for other in karras/unipc:3:thresholding=false karras/dpmpp:3:thresholding=false; do samplers+=(--sampler "$other/$n"); done
        done
        judge table --schedules karras,gits,phase1,propagated --solver euler,ipndm:3 --steps 1,2,3,4,5,6,8,10 \
            --curve "$out/fit/loss-curve.json" "${samplers[@]}" --samples 500
        ;;

    # The samplers that matter with 5,000 images in each range; 40 evaluations are the teacher.
    large)
        samplers=(--sampler karras/heun/20)
        for n in 3 4 6; do samplers+=(--sampler "$out/fit/n$n.sampler.json" --sampler "karras/ipndm:3/$n"); done
        measure "${samplers[@]}" --samples 5000 --out "$out/large"
        for n in 1 2 3 4; do
            [ -d "$out/tuned/n$n" ] || continue
            measure --model "$out/tuned/n$n" --sampler "$out/tuned/n$n/sampler.json" --samples 5000 --out "$out/large-tuned-n$n"
        done
        ;;

    # Tunings for the headline: at most five minutes on two processors each.
    tuned)
        for n in 1 2 3 4; do
            case $n in
                1) options=(--sampler "$out/fit/n1.sampler.json" --updates 1200) ;;
                2) options=(--sampler "$out/fit/n2.sampler.json" --updates 700) ;;
                3) options=(--sampler "$out/fit/n3.sampler.json" --updates 500) ;;
                4) options=(--sampler "$out/fit/n4.sampler.json" --updates 400) ;;
            esac
            fewstep tune "${options[@]}" --patience 0 --snapshots none --out "$out/tuned/n$n"
        done
        ;;

    cifar10)
        model=(--model models/cifar10 --data "$CIFAR10_TRAIN")
        fewstep fit "${model[@]}" --steps 1,2,3,4,5,6,8,10 --latents 128 --held-out 32 --out "$out/cifar10-fit"
        samplers=()
        for n in 1 2 3 4 5 6 8 10; do samplers+=(--sampler "$out/cifar10-fit/n$n.sampler.json"); done
        measure "${model[@]}" --reference "$CIFAR10_TEST" --schedules karras,gits --solver ipndm:3 --steps 2,3,4,5,6,8,10 "${samplers[@]}" \
            --samples 500 --out "$out/cifar10"
        ;;

    # Small networks of three noise schedules (noise-schedules.sh), trained until their loss at the largest sigma is that of the mean.
    noise)
        for kind in edm vp ve; do
            model=$out/noise/$kind/model
            fewstep train --config "docs/results/noise-schedules-$kind.json" --loss "$kind" --data "$data" --images "${NOISE_IMAGES:-400000}" \
                --batch 64 --learning-rate 1e-3 --seed 1 --dtype bfloat16 --out "$out/noise/$kind"
            fewstep fit --model "$model" --steps 3,4,6,8,10 --out "$out/noise/$kind/fit"
            samplers=()
            for n in 3 4 6 8 10; do samplers+=(--sampler "$out/noise/$kind/fit/n$n.sampler.json"); done
            measure --model "$model" --schedules karras,gits,phase1 --solver euler,ipndm:3 --steps 3,4,6,8,10 \
                --curve "$out/noise/$kind/fit/loss-curve.json" "${samplers[@]}" --samples 300 --out "$out/noise/$kind/evaluation"
        done
        ;;

    # A fitted sampler where it was not fitted: at other guidance, for one class, on a tuned model.
    transfer)
        for w in 1 1.5 2 3; do
            guided=(--guidance "$w")
            fewstep fit "${guided[@]}" --steps 4 --curve "$out/fit/loss-curve.json" --out "$out/transfer/fit-w$w"
        done
        for w in 1 1.5 2 3; do
            samplers=(--sampler karras/ipndm:3/4)
            for other in 1 1.5 2 3; do samplers+=(--sampler "$out/transfer/fit-w$other/n4.sampler.json"); done
            measure --guidance "$w" --any-model "${samplers[@]}" --metrics endpoint --teacher karras --teacher-solver ipndm:3 --teacher-steps 32 --samples 200 \
                --out "$out/transfer/w$w"
        done
        ;;

    # None, once, alternating: the same updates in all, three seeds.
    alternation)
        for seed in 1 2 3; do
            for rounds in 1 3; do
                fewstep run --steps 3 --rounds "$rounds" --updates "$((240 / rounds))" --samples 500 --seed "$seed" \
                    --out "$out/alternation/seed$seed-rounds$rounds" || [ -e "$out/alternation/seed$seed-rounds$rounds/report.html" ]
            done
        done
        ;;
esac
