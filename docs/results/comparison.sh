#!/usr/bin/env bash
# Makes the figures of comparison.md: every solver with every optimiser's schedules. Some four hours on one core; repeated, it goes on where it was.
#   docs/results/comparison.sh [folder] [part: all, screen, variants, endpoint or finalists]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/comparison} part=${2:-all}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@"; }
standard=karras,log-snr,uniform-t,cosine
found=phase1,phase1:amplification,gits,ays,dm-nonuniform,optimal-steps
one=euler,dpmpp:1,dpmpp:2,dpmpp:3,unipc:1,unipc:2,unipc:3,deis:2,deis:3,deis:4,ipndm:2,ipndm:3,ipndm:4,ipndm-v:2,ipndm-v:3,ipndm-v:4
variants=dpmpp:2:thresholding=false,dpmpp:3:thresholding=false:coefficients=exact,unipc:2:thresholding=false,unipc:3:thresholding=false,ipndm-v:4:coefficients=exact
measure() { fewstep compare --nfe 4,6,8,10 --ranges 3 "$@"; }

# All solvers, all schedules that do not need a search for each solver; few images.
if [ "$part" = all ] || [ "$part" = screen ]; then
    measure --solvers "$one,heun,dpm2" --schedules "$standard,$found" --samples 200 --transfer false --strip-seeds none --out "$out/screen"
fi

# What thresholding and the reference's deviations from the papers do (docs/solvers.md).
if [ "$part" = all ] || [ "$part" = variants ]; then
    measure --solvers "$variants" --schedules karras,phase1,gits,optimal-steps --samples 200 --transfer false --strip-seeds none --out "$out/variants"
fi

# The endpoint search for one solver of each family that came out well, and what its schedules do for the others.
if [ "$part" = all ] || [ "$part" = endpoint ]; then
    measure --solvers euler,ipndm:3,deis:3,dpmpp:2 --schedules karras,endpoint --samples 200 --out "$out/endpoint"
fi

# Euler and the best multistep solver with more images.
if [ "$part" = all ] || [ "$part" = finalists ]; then
    measure --solvers euler,ipndm:3 --schedules "karras,cosine,$found,endpoint" --samples 500 --transfer false --out "$out/finalists"
fi
