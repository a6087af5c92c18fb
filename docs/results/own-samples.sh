#!/usr/bin/env bash
# Makes the figures of own-samples.md: Phase 1 on real images and on the model's own fine samples, twice each. Some fifteen minutes on a busy processor.
#   docs/results/own-samples.sh [folder] [images of a loss curve]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/own-samples} images=${2:-256}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@"; }

# A regret that is never reached, so that all curves are of equally many images.
for seed in 0 1; do
    fewstep schedule --steps 2,3,4,6 --curve-images "$images" --regret 1e-9 --seed "$seed" --out "$out/real-$seed"
    fewstep schedule --steps 2,3,4,6 --curve-images "$images" --regret 1e-9 --seed "$seed" --data "own-samples:$images" --out "$out/own-$seed"
done
