#!/usr/bin/env bash
# Measures a tuning by 1, 2 and 4 ranks on one machine (updates a second, efficiency, bytes that the ranks send each other in an update,
# memory of a rank; the batch is that of all ranks, so that all do the same work), then sampling by as many processes.
#   docs/results/scale.sh [folder] [model] [updates] [batch] [ranks: "1 2 4"] [threads of a rank] [further options of tune...]
# A batch of each:N is N latents for every rank: all ranks then have the same activations, and their memory compares.
# What is sent for measurements and files is counted too, which is little over many updates. FEWSTEP is the program, MPIRUN the launcher
# with its options, IMAGES how many are sampled (0: none). Prints tables in Markdown; nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-runs/scale} model=${2:-models/fashion-mnist} updates=${3:-40} batch=${4:-32} counts=${5:-1 2 4} threads=${6:-1}
shift $(($# < 6 ? $# : 6))
program=${FEWSTEP:-src/FewStep.Cli/bin/Release/net10.0/linux-x64/FewStep.Cli}
read -r -a launcher <<< "${MPIRUN:-mpirun --oversubscribe --bind-to none}"
if [ "$(id -u)" = 0 ]; then launcher+=(--allow-run-as-root); fi
mkdir -p "$out"

# The most memory, in kB, that a process of the tuning in a folder has had: launchers are named in its command line too.
peak() {
    local most=0 now
    while kill -0 "$1" 2> /dev/null; do
        for process in $(pgrep -f -- "--out $2( |\$)" || true); do
            case $(cat "/proc/$process/comm" 2> /dev/null) in *mpi* | orted | hydra* | *.sh | bash) continue ;; esac
            now=$(awk '/VmHWM/ { print $2 }' "/proc/$process/status" 2> /dev/null || true)
            if [ "${now:-0}" -gt "$most" ]; then most=$now; fi
        done
        sleep 0.5
    done
    echo "$most"
}

echo '| ranks | updates a second | efficiency | MB sent in an update, all ranks | memory of a rank, MB |'
echo '|---|---|---|---|---|'
for ranks in $counts; do
    folder=$out/ranks-$ranks
    rm -rf "$folder"
    all=$batch
    case $batch in each:*) all=$((${batch#each:} * ranks)) ;; esac
    command=("$program" tune --model "$model" --sampler karras/euler/2 --loss trajectory --updates "$updates" --tune-batch "$all" --check-every "$updates" --held-out "$all" --checkpoint-seconds 86400 --snapshots none --patience 0 --threads "$threads" --verbose "$@" --out "$folder")
    if [ "$ranks" -gt 1 ]; then command=("${launcher[@]}" -n "$ranks" "${command[@]}"); fi
    OMP_NUM_THREADS=$threads "${command[@]}" > "$folder.out" 2> "$folder.log" &
    started=$!
    memory=$(peak "$started" "$folder")
    wait "$started" || { cat "$folder.log" >&2; exit 1; }
    seconds=$(sed -n 's/^  "seconds": \([0-9.]*\).*/\1/p' "$folder/tuning-curve.json")
    sent=$(sed -n 's/.*sent each other \([0-9.]*\) MB.*/\1/p' "$folder.log")
    first=${first:-$(awk "BEGIN { print $seconds * $ranks }")}
    awk -v n="$ranks" -v s="$seconds" -v u="$updates" -v f="$first" -v b="${sent:-0}" -v m="$memory" \
        'BEGIN { printf "| %d | %.3f | %.0f %% | %.2f | %.0f |\n", n, u / s, 100 * f / (s * n), b / u, m / 1024 }'
done

# Sampling: the processes of --local share nothing but the folder.
images=${IMAGES:-4000}
if [ "$images" = 0 ]; then exit; fi
echo
echo '| processes | images a second, starting and joining included | efficiency | memory of a process, MB | bytes an image |'
echo '|---|---|---|---|---|'
unset first
for processes in $counts; do
    folder=$out/local-$processes
    rm -rf "$folder"
    command=("$program" sample --model "$model" --sampler karras/ipndm:3/4 --seeds "0-$((images - 1))" --batch 50 --threads "$((processes * threads))" --out "$folder")
    if [ "$processes" -gt 1 ]; then command+=(--local "$processes"); fi
    began=$(date +%s.%N)
    OMP_NUM_THREADS=$threads "${command[@]}" > "$folder.out" 2> "$folder.log" &
    started=$!
    memory=$(peak "$started" "$folder")
    wait "$started" || { cat "$folder.log" >&2; exit 1; }
    seconds=$(awk "BEGIN { print $(date +%s.%N) - $began }")
    bytes=$(du -sb "$folder" | cut -f1)
    first=${first:-$seconds}
    awk -v n="$processes" -v s="$seconds" -v i="$images" -v f="$first" -v m="$memory" -v b="$bytes" \
        'BEGIN { printf "| %d | %.0f | %.0f %% | %.0f | %.0f |\n", n, i / s, 100 * f / (s * n), m / 1024, b / i }'
done
