# A Slurm of its own for the checks beside this file, which source it: three nodes of one processor each on this machine, in a temporary
# folder ($here), gone afterwards. Needs root, Slurm and munge (Debian: slurm-wlm and munge).
here=$(mktemp -d /tmp/fewstep-slurm-XXXXXX)
export SLURM_CONF=$here/slurm.conf PATH=$PATH:/usr/sbin:/sbin
nodes=3
declare -A daemons=() # process of a node's slurmd, by node
started=()
stop() {
    code=$?
    [ -e "$here/ctld.pid" ] && scancel -u "$(id -un)" >/dev/null 2>&1
    for node in "${!daemons[@]}"; do kill "${daemons[$node]}" 2>/dev/null || true; done
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

start_node() { # name
    slurmd -D -N "$1" >/dev/null 2>&1 &
    daemons[$1]=$!
}

# Kills a node's daemon and all that it has started: what watches over a job first, so that nobody hears of the job's end.
kill_node() { # name
    local file watcher watchers=() work=()
    for file in $(grep -lsz "^SLURMD_NODENAME=$1\$" /proc/[0-9]*/environ); do
        file=${file%/environ}
        work+=("${file#/proc/}")
        watcher=$(ps -o ppid= -p "${file#/proc/}" | tr -d ' ')
        [[ $(cat "/proc/$watcher/comm" 2>/dev/null) != slurmstepd* ]] || watchers+=("$watcher")
    done
    kill -9 "${daemons[$1]}" "${watchers[@]}" "${work[@]}" 2>/dev/null || true
    wait "${daemons[$1]}" 2>/dev/null || true
}

up() { # whether all nodes can be given work
    [ "$(sinfo -h -N -t idle,alloc,mix 2>/dev/null | wc -l)" -eq "$nodes" ]
}

busy() { [ -n "$(squeue -h -a -t pending,running,completing)" ]; }

settled() { # no job is left, or can ever run
    for _ in $(seq 3600); do busy || return 0; sleep 0.5; done
    fail "The jobs did not come to an end."
}

same() { # two folders: files with the same bytes but for JSON and pages, which tell times and places
    diff -r -q -x '*.json' -x '*.html' -x '*.md' -x '*.csv' -x slurm "$1" "$2" || fail "$2 differs from $1."
}

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
TmpFS=$here/tmp-%n
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
NodeName=node[1-$nodes] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + nodes))] CPUs=1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
echo "CgroupAutomount=no" >"$here/cgroup.conf"
munged --foreground --force --socket="$here/munge/socket" --key-file="$here/munge/key" --pid-file="$here/munge/pid" \
    --log-file="$here/munge/log" --seed-file="$here/munge/seed" >/dev/null 2>&1 &
started+=("$!")
for _ in $(seq 100); do [ -S "$here/munge/socket" ] && break; sleep 0.1; done
slurmctld -D >/dev/null 2>&1 &
started+=("$!")
for ((i = 1; i <= nodes; i++)); do
    mkdir "$here/spool-node$i" "$here/tmp-node$i"
    start_node "node$i"
done
for _ in $(seq 300); do up && break; sleep 0.2; done
up || fail "The nodes did not come up."
