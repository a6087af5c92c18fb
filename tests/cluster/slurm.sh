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
AuthInfo=socket=$here/munge/socket
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
    --log-file="$here/munge/log" --seed-file="$here/munge/seed" &
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
