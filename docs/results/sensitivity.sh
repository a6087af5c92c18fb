#!/usr/bin/env bash
# Makes the figures of sensitivity.md: what the loss curve's images, noise levels, seed and the power do to Phase 1. Some hour and a half on one core; repeated, it goes on where it was.
#   docs/results/sensitivity.sh [folder] [samples in a seed range]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/sensitivity} samples=${2:-500}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@"; }

# A curve of a certain number of images, noise levels and seed: no stopping rule ends it early.
schedule() {
    local name=images-$1-points-$2-seed-$3
    files+=("$out/$name/phase1-power-0-n4.sampler.json" "$out/$name/phase1-power-0-n8.sampler.json")
    if [ ! -e "$out/$name/phase1-power-0-n8.sampler.json" ]; then
        fewstep schedule --steps 4,8 --curve-images "$1" --curve-points "$2" --seed "$3" --regret 1e-12 --out "$out/$name"
    fi
}
files=()
for images in 64 128 256 512 1024; do for seed in 0 1 2; do schedule "$images" 32 "$seed"; done; done
schedule 2048 32 0
schedule 4096 32 0
for points in 8 12 16 24 64 128; do schedule 256 "$points" 0; done

fewstep compare --curve "$out/images-4096-points-32-seed-0/loss-curve.json" --solvers euler --nfe 4,8 --samples "$samples" --ranges 3 --strip-seeds none --out "$out/comparison" \
    --schedules "phase1,phase1:-1,phase1:-0.5,phase1:-0.25,phase1:0.25,phase1:0.5,phase1:1,phase1:2,phase1:amplification,$(IFS=,; echo "${files[*]}")"
