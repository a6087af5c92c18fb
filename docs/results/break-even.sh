#!/usr/bin/env bash
# Makes the figures of break-even.md: what Phase 1, fitted samplers and Phase 2 cost, and after how many images the evaluations they save have paid for them; Euler at N = 4, fitted at N = 2, 3, 4. Some 30 minutes on one core; repeated, it goes on where it was.
#   docs/results/break-even.sh [folder] [samples in a seed range] [tuning updates]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/break-even} samples=${2:-500} updates=${3:-200}
fewstep() { ${FEWSTEP:-dotnet run -c Release --project src/FewStep.Cli --} "$@"; }
schedule=$out/schedules/phase1-power-0-n4.sampler.json

fewstep compare --solvers euler,ipndm:3 --schedules karras --nfe 2,3,4,5,6,8,10,12,16,20,24,32 --metrics fd --strip-seeds none --samples "$samples" --ranges 3 --out "$out/baselines"
[ -e "$schedule" ] || fewstep schedule --steps 4 --out "$out/schedules"
if [ ! -e "$out/tuned/evaluation/metrics.csv" ]; then
    fewstep tune --schedule "$schedule" --updates "$updates" --patience 0 --out "$out/tuned"
    models=()
    for share in 4 2 1; do models+=(--model "$((updates / share)) updates=$out/tuned/snapshots/update-$((updates / share))"); done
    fewstep evaluate --model models/fashion-mnist "${models[@]}" --schedules "$schedule" --steps 4 --samples "$samples" --ranges 3 --out "$out/tuned/evaluation"
fi

# Each number of steps by a fit of its own, so that each pays for its teacher and loss curve alone.
samplers=() fitted=
for n in 2 3 4; do
    file=$out/fit-$n/n$n.sampler.json
    [ -e "$file" ] || fewstep fit --steps "$n" --out "$out/fit-$n"
    samplers+=(--sampler "$file")
done
fewstep evaluate "${samplers[@]}" --metrics fd --strip-seeds none --samples "$samples" --ranges 3 --out "$out/fitted"

# The last number of a name in a JSON file: totals stand at its end.
number() { tr ',' '\n' < "$1" | sed -n "s/.*\"$2\": *\([0-9.]*\).*/\1/p" | tail -1; }
# Costs in forward passes, a backward pass counted as two; a snapshot has its share of the whole tuning, held-out measurements included.
curve=$(number "$out/schedules/loss-curve.json" network_evaluations)
tuning=$(($(number "$out/tuned/tuning-curve.json" teacher) + 3 * $(number "$out/tuned/tuning-curve.json" student) + $(number "$out/tuned/tuning-curve.json" held_out)))
for n in 2 3 4; do fitted+=" $(number "$out/fit-$n/n$n.sampler.json" evaluations)"; done
echo
echo "Phase 1: $curve evaluations, $(number "$out/schedules/loss-curve.json" seconds) s. Phase 2: $tuning evaluations for $updates updates, $(number "$out/tuned/tuning-curve.json" seconds) s."

# For a result: the evaluations at which each baseline is as good (log FD interpolated over evaluations), then cost over evaluations saved.
awk -F, -v curve="$curve" -v tuning="$tuning" -v updates="$updates" -v fitted="$fitted" '
    function equal(solver, fd,    i, n) {
        n = count[solver]
        if (fd >= value[solver, 1]) return evaluations[solver, 1]
        for (i = 2; i <= n; i++) if (value[solver, i] <= fd)
            return evaluations[solver, i - 1] + (evaluations[solver, i] - evaluations[solver, i - 1]) * log(fd / value[solver, i - 1]) / log(value[solver, i] / value[solver, i - 1])
        return -1
    }
    function line(name, fd, cost, n,    s, i, at, text) {
        text = sprintf("| %s | %.3f | %d |", name, fd, cost)
        for (i = 1; i <= 2; i++) {
            s = i == 1 ? "euler" : "ipndm:3"; at = equal(s, fd)
            if (at < 0) text = text sprintf(" more than %d | fewer than %.0f |", evaluations[s, count[s]], cost / (evaluations[s, count[s]] - n))
            else if (at <= n) text = text sprintf(" %d or fewer | never |", n)
            else text = text sprintf(" %.1f | %.0f |", at, cost / (at - n))
        }
        print text
    }
    FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; file++; next }
    $column["role"] == "teacher" { next }
    file == 1 { s = $column["solver"]; evaluations[s, ++count[s]] = $column["number"]; value[s, count[s]] = $column["fd"]; next }
    file == 2 && FNR == 2 {
        print "| result | FD | cost in evaluations | Karras, euler equal at | images to break even | Karras, ipndm:3 equal at | images to break even |"
        print "|---|---:|---:|---:|---:|---:|---:|"
    }
    file == 3 { split(fitted, costs, " "); line("fitted, N = " $column["number"], $column["fd"], costs[$column["number"] - 1], $column["number"]); next }
    $column["tuning"] == "" { line("Phase 1, N = 4", $column["fd"], curve, 4); next }
    { name = $column["tuning"]; gsub("\"", "", name); split(name, words, " "); line("Phase 1+2, N = 4, " name, $column["fd"], curve + tuning * words[1] / updates, 4) }
' "$out/baselines/metrics.csv" "$out/tuned/evaluation/metrics.csv" "$out/fitted/metrics.csv"
