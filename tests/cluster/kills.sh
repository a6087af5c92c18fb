# Kills jobs of divided commands at random moments, as often as was asked for, and goes on as their user would: Slurm puts jobs back into the
# queue where --requeue was said, elsewhere what is missing is submitted again. All must end with the bits of the undivided command. The
# seed draws shards, moments and ways: signal 9 to the program, scancel --signal=KILL of the job, and death of the node with all that runs
# there, which Slurm hears of from its administrator, or from the node when it is back. Read by slurm.sh.
wanted=${1:?how many are killed}
RANDOM=${2-1}
declare -A lines=(
    [sample]="sample --sampler karras/euler/2 --seeds 0-23 --batch 4 --threads 1"
    [evaluate]="evaluate --schedules karras,cosine --steps 1,2 --ranges 2 --samples 16 --batch 8 --strip-seeds 0-1 --threads 1 --data few"
    [fit]="fit --schedule karras --steps 2,3 --latents 24 --held-out 8 --batch 4 --teacher-steps 8 --threads 1"
)
verbs=(sample evaluate fit)
declare -A results=([sample]=manifest.json [evaluate]=metrics.csv [fit]=fit.html)
declare -A took=() ways=() stages=()

for split in train test; do "$program" data subset --split "$split" --count 60 --out few --quiet >/dev/null; done
for verb in "${verbs[@]}"; do
    began=${EPOCHREALTIME/./}
    "$program" ${lines[$verb]} --out "whole-$verb" --quiet >/dev/null
    took[$verb]=$((${EPOCHREALTIME/./} - began))
done

# What a command leaves, without what says when and where it was, and in which order its cells were done.
content() { # verb, folder
    case "$1" in
    sample) (cd "$2" && sha256sum ./*.png) ;;
    evaluate)
        sed 's/,"[^"]*"$//' "$2/metrics.csv" | cut -d, -f1-15
        cat "$2"/measurements*.json | tr -d '\n ' | sed 's/"seconds":[^,}]*,//g; s/{"key"/\n&/g' | sed 's/[],}]*$//' | sort
        ;;
    fit) (cd "$2" && sha256sum ./*.sampler.json) ;;
    esac
}

merged() { [ ! -e "$2/parts" ] && [ -e "$2/${results[$1]}" ]; } # verb, folder

# A process at work on a stage of a folder and that stage, drawn of those there are; of the merge alone where it is asked for.
at_work() { # folder, stage or nothing
    local found
    mapfile -t found < <(pgrep -a -f -- "--out $1 --shard ${2:-[0-9mp][0-9a-z/]*}\$")
    [ "${#found[@]}" -gt 0 ] || return 1
    found=("${found[RANDOM % ${#found[@]}]}")
    process=${found[0]%% *} stage=${found[0]##* }
}

place() { # process: sets the node and the job that it belongs to
    local word
    node="" job=""
    while IFS= read -r -d '' word; do
        case "$word" in SLURMD_NODENAME=*) node=${word#*=} ;; SLURM_JOB_ID=*) job=${word#*=} ;; esac
    done 2>/dev/null <"/proc/$1/environ"
    [ -n "$node" ] && [ -n "$job" ]
}

submit() { # verb, folder, further options
    local verb=$1 folder=$2
    shift 2
    "$program" cluster slurm "${options[@]}" --submit "$@" -- ${lines[$verb]} --out "$folder" 2>&1
}

go_on() { # verb, folder: what its user does when no job is left and the results are not there
    local told
    resubmitted=$((resubmitted + 1))
    told=$(submit "$1" "$2" --only-missing) && return
    # Of nothing that was begun nothing is missing.
    grep -q 'holds no parts' <<<"$told" && submit "$1" "$2" >/dev/null || fail "It cannot go on: $told"
}

# Waits until a process is at work, and kills it at a moment of its time.
strike() { # verb, folder, stage or nothing, way
    local process node job moment tries
    for ((tries = 0; ; tries++)); do
        ! at_work "$2" "$3" || break
        [ $((tries % 5)) -ne 0 ] || busy || return 1
        sleep 0.2
    done
    moment=$((took[$1] / 2 * RANDOM / 32768)) # a share takes less than the whole
    sleep "$((moment / 1000000)).$(printf %06d $((moment % 1000000)))"
    place "$process" || return 1
    case "$4" in
    signal) kill -9 "$process" 2>/dev/null || return 1 ;;
    scancel) scancel --signal=KILL "$job" 2>/dev/null || return 1 ;;
    node-*) kill_node "$node" ;;
    esac
    for _ in $(seq 100); do kill -0 "$process" 2>/dev/null || break; sleep 0.1; done
    ! kill -0 "$process" 2>/dev/null || return 1
    [ "$4" != node-down ] || scontrol update nodename="$node" state=down reason=dead
    if [[ $4 == node-* ]]; then
        start_node "$node"
        for _ in $(seq 100); do up && break; scontrol update nodename="$node" state=resume 2>/dev/null || true; sleep 0.5; done
        # Of a node that was gone for seconds Slurm believes for long that a job of less than a minute is still there.
        [ "$4" != node-back ] || scontrol requeue "$job" 2>/dev/null || true
    fi
    echo "$2: $stage of $1 killed by $4 after $((moment / 1000)) ms"
}

all=(signal signal signal signal signal signal scancel scancel node-down node-back)
killed=0 runs=0 resubmitted=0 several=0 differ=0
while [ "$killed" -lt "$wanted" ]; do
    verb=${verbs[runs % 3]}
    runs=$((runs + 1))
    folder=run-$runs
    count=$((2 + RANDOM % 2))
    options=(--shards "$count")
    [ $((RANDOM % 2)) -eq 0 ] || options+=(--requeue)
    submit "$verb" "$folder" >/dev/null || fail "$verb was not submitted."
    strikes=$((1 + RANDOM % 5)) struck=" "
    for ((k = 0; k < strikes && killed < wanted; k++)); do
        way=${all[RANDOM % ${#all[@]}]} target=""
        [ $((RANDOM % 4)) -ne 0 ] || target=merge
        until strike "$verb" "$folder" "$target" "$way"; do
            busy || { ! merged "$verb" "$folder" || break 2; go_on "$verb" "$folder"; }
        done
        killed=$((killed + 1))
        ways[$way]=$((${ways[$way]-0} + 1))
        stages[${stage/[0-9]*/shard}]=$((${stages[${stage/[0-9]*/shard}]-0} + 1))
        [[ $struck != *" $stage "* ]] || several=$((several + 1))
        struck+="$stage "
    done
    for _ in $(seq 20); do
        settled
        ! merged "$verb" "$folder" || break
        go_on "$verb" "$folder"
    done
    merged "$verb" "$folder" || fail "$folder does not come to its end: $(tail -n 3 "$folder"/slurm/*.log)"
    if [ "$(content "$verb" "whole-$verb")" != "$(content "$verb" "$folder")" ]; then
        echo "$folder differs from whole-$verb"
        differ=$((differ + 1))
    elif [ -n "$(find "$folder" -name '*.tmp')" ]; then
        echo "$folder keeps files that were half written"
        differ=$((differ + 1))
    else
        rm -r "$folder"
    fi
done
list() { # the name of a table of numbers
    local -n table=$1
    local key
    for key in "${!table[@]}"; do echo -n " $key ${table[$key]}"; done
}
echo "killed $killed in $runs runs, by:$(list ways); of:$(list stages); $several a further time in its run"
echo "submitted again by hand $resubmitted times; $differ of $runs runs differ from the undivided command"
[ "$differ" -eq 0 ]
