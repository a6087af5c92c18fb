#!/usr/bin/env bash
# The model of Tiny-ImageNet at 64x64, on a GPU; tiny-imagenet.md explains. A step that is interrupted goes on when it is repeated.
#   docs/recipes/tiny-imagenet.sh TRAINING.zip VALIDATION.zip FOLDER STEP
# STEP is classifier, trial, train, finish, results, pack or unpack. DEVICE (cuda), ARCHITECTURE (adm or songunet), IMAGES (4000000), BATCH (256) and LIMIT (seconds of a step; 0 for none) may be set.
set -euo pipefail
training=$1 validation=$2 folder=$3 step=$4
device=${DEVICE:-cuda} architecture=${ARCHITECTURE:-adm} images=${IMAGES:-4000000} batch=${BATCH:-256} limit=${LIMIT:-0}
here=$(cd "$(dirname "$0")" && pwd)
model=$folder/tiny-imagenet
mkdir -p "$folder"

# Ctrl-C after LIMIT seconds: what can be resumed writes its checkpoint first.
fewstep() { timeout --signal=INT --kill-after=60 "$limit" ${FEWSTEP:-dotnet run -c Release --project "$here/../../src/FewStep.Cli" --} "$@"; }
train() { fewstep train --device "$device" --config "$here/tiny-imagenet-$1.json" --data "$training" --batch "$batch" --learning-rate 4e-4 --warm-up 200000 --ema 250000 --flip --seed 1 --dtype bfloat16 "${@:2}"; }

case $step in
    classifier)
        [ -e "$model-classifier/model.safetensors" ] || fewstep train-classifier --device "$device" --data "$training" --test "$validation" --channels 64,128,192,256 --blocks 2 --epochs "${EPOCHS:-40}" --batch 256 --shift 4 \
            --metric-name "FD (Tiny-ImageNet features)" --feature-name "Tiny-ImageNet features" --out "$model-classifier" --seed 0
        ;;
    trial) # Which architecture learns more from equal time: both for TRIAL seconds, then the Fréchet distance of 2,000 images in 18 steps of Heun's method.
        for name in adm songunet; do
            limit=${TRIAL:-240}
            train "$name" --images "$images" --out "$folder/trial-$name" || [ $? -eq 124 ]
            limit=0
            fewstep evaluate --device "$device" --model "$folder/trial-$name/model" --classifier "$model-classifier" --data "$training" --reference "$validation" \
                --schedules karras --solver heun --steps 18 --samples "${SAMPLES:-2000}" --ranges 1 --out "$folder/trial-$name/evaluation"
        done
        ;;
    train)
        train "$architecture" --images "$images" --out "$folder/training"
        ;;
    finish) # A folder with the averaged weights in bfloat16, beside its classifier.
        mkdir -p "$model"
        cp "$folder/training/model/config.json" "$folder/training/model/model.safetensors" "$model"
        ;;
    results)
        SAMPLES=${SAMPLES:-10000} "$here/../results/natural-images.sh" "$model" "$training" "$validation" "$folder/results"
        ;;
    pack) # The checkpoint in pieces of 16 MB, for machines that files reach in small pieces.
        rm -rf "$folder/pieces"
        mkdir "$folder/pieces"
        (cd "$folder/training" && sha256sum training.safetensors) > "$folder/pieces/sha256"
        split --bytes=16000000 --numeric-suffixes --suffix-length=3 "$folder/training/training.safetensors" "$folder/pieces/training."
        ;;
    unpack)
        mkdir -p "$folder/training"
        cat "$folder"/pieces/training.[0-9]* > "$folder/training/training.safetensors.new"
        mv "$folder/training/training.safetensors.new" "$folder/training/training.safetensors"
        (cd "$folder/training" && sha256sum --check ../pieces/sha256)
        ;;
    *)
        echo "There is no step '$step'; there are classifier, trial, train, finish, results, pack and unpack." >&2
        exit 2
        ;;
esac
