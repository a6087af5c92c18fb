# Figures and images of shards are those of the undivided command to the bit, a shard that is killed goes back into the queue, and shards
# that are lost are submitted again alone. Read by slurm.sh.
images=(sample --sampler karras/euler/2 --seeds 0-23 --batch 4 --threads 1)
figures=(evaluate --schedules karras,cosine --steps 1,2 --ranges 2 --samples 16 --batch 8 --strip-seeds 0-1 --threads 1 --data few)
for split in train test; do "$program" data subset --split "$split" --count 60 --out few --quiet >/dev/null; done
"$program" "${images[@]}" --out whole-images --quiet >/dev/null
"$program" "${figures[@]}" --out whole-figures --quiet >/dev/null

# The number of a job, from the JSON of a submission.
job() { sed -n "s/.*\"$1\": \"\([0-9]*\)\".*/\1/p" <<<"$2"; }

# Kills the process of a shard with signal 9 once it has begun its part.
kill_shard() { # folder, shard
    local part="$1/parts/${2/\//-of-}/part.json"
    for _ in $(seq 6000); do [ -e "$part" ] && break; sleep 0.05; done
    kill -9 "$(pgrep -f -- "--out $1 --shard $2\$")" || fail "Shard $2 of $1 could not be killed."
}

# Figures: a shard that is killed goes back into the queue, and the merge waits for it.
told=$("$program" cluster slurm --shards 2 --requeue --job-name figures --submit --json -- "${figures[@]}" --out figures)
kill_shard figures 2/2
settled
! grep -q 'REQUEUE' figures/slurm/shard-1-*.log || fail "A shard that was not killed went back into the queue."
scontrol -o show job "$(job shards "$told")" | grep -q 'Restarts=1' || fail "The shard did not go back into the queue."
[ ! -e figures/parts ] || fail "The figures were not merged: $(cat figures/slurm/*.log)"
same whole-figures figures
values() { sed 's/,"[^"]*"$//' "$1/metrics.csv" | cut -d, -f1-15 ; }
[ "$(values whole-figures)" = "$(values figures)" ] || fail "The figures differ."
echo "figures: killed, back in the queue, merged, the same"

# Images: a shard that is killed is missing, the merge is taken back, and the shard is submitted again alone.
launch=(cluster slurm --shards 3 --max-running 2 --submit --json)
told=$("$program" "${launch[@]}" -- "${images[@]}" --out images)
kill_shard images 2/3
settled
[ -e images/parts/1-of-3 ] || fail "The images were merged without a shard."
"$program" merge images 2>&1 | grep -q 'missing 2/3' || fail "The merge does not say what is missing."
told=$("$program" "${launch[@]}" --only-missing -- "${images[@]}" --out images)
grep -q '"shards": "2"' <<<"$told" || fail "Other shards than the missing one were submitted: $told"
settled
same whole-images images
echo "images: killed, submitted again alone, merged, the same"
