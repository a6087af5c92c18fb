#!/bin/bash
# Holds `fewstep cluster slurm` against a real Slurm, which is set up in a temporary folder, with three nodes on this machine, and is gone
# afterwards: images and figures of shards are those of the undivided command to the bit, a shard that is killed goes back into the
# queue, and shards that are lost are submitted again alone. Needs root, and Slurm with munge (Debian: slurm-wlm and munge).
#   bash tests/cluster/slurm.sh src/FewStep.Cli/bin/Release/net10.0/linux-x64/FewStep.Cli
set -eu
program=$(realpath -- "${1:?the program: bash tests/cluster/slurm.sh path/to/FewStep.Cli}")
here=$(mktemp -d /tmp/fewstep-slurm-XXXXXX)
export SLURM_CONF=$here/slurm.conf PATH=$PATH:/usr/sbin:/sbin
started=()
stop() {
    code=$?
    [ -e "$here/ctld.pid" ] && scancel -u "$(id -un)" >/dev/null 2>&1
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do kill "${started[i]}" 2>/dev/null || true; done
    wait
    [ "$code" -eq 0 ] && rm -rf "$here" || echo "FAILED; what is left lies in $here" >&2
    exit "$code"
}
trap stop EXIT
fail() {
    echo "$*" >&2
    squeue -a >&2 || true
    exit 1
}

# A Slurm of its own: three nodes of one processor each.
host=$(hostname -s)
port=$((20000 + $$ % 20000))
mkdir -m 700 "$here/state" "$here/munge"
head -c 128 /dev/urandom >"$here/munge/key"
chmod 400 "$here/munge/key"
cat >"$SLURM_CONF" <<END
ClusterName=fewstep
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$here/munge/socket,cred_expire=10
SlurmctldPort=$port
StateSaveLocation=$here/state
SlurmdSpoolDir=$here/spool-%n
SlurmctldPidFile=$here/ctld.pid
SlurmdPidFile=$here/%n.pid
SlurmctldLogFile=$here/ctld.log
SlurmdLogFile=$here/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
MailProg=/bin/true
MessageTimeout=60
NodeName=node[1-3] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 3))] CPUs=1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
echo "CgroupAutomount=no" >"$here/cgroup.conf"
munged --foreground --force --socket="$here/munge/socket" --key-file="$here/munge/key" --pid-file="$here/munge/pid" \
    --log-file="$here/munge/log" --seed-file="$here/munge/seed" >/dev/null 2>&1 &
started+=("$!")
for _ in $(seq 100); do [ -S "$here/munge/socket" ] && break; sleep 0.1; done
slurmctld -D >/dev/null 2>&1 &
started+=("$!")
for i in 1 2 3; do
    mkdir "$here/spool-node$i"
    slurmd -D -N "node$i" >/dev/null 2>&1 &
    started+=("$!")
done
for _ in $(seq 300); do [ "$(sinfo -h -N -t idle 2>/dev/null | wc -l)" -eq 3 ] && break; sleep 0.2; done
[ "$(sinfo -h -N -t idle | wc -l)" -eq 3 ] || fail "The nodes did not come up."

# In a folder whose name a shell and Slurm would misread.
work="$here/it's 5 %d"
mkdir "$work"
cd "$work"
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

settled() { # no job is left, or can ever run
    for _ in $(seq 6000); do [ -z "$(squeue -h -a -t pending,running,completing)" ] && return; sleep 0.2; done
    fail "The jobs did not come to an end."
}

same() { # two folders: files with the same bytes but for JSON and pages, which tell times and places
    diff -r -q -x '*.json' -x '*.html' -x '*.md' -x '*.csv' -x slurm "$1" "$2" || fail "$2 differs from $1."
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
