#!/bin/bash
# Holds the program against a real Slurm, which own-slurm.sh sets up in a temporary folder, with three nodes on this machine. Needs root, and
# Slurm with munge (Debian: slurm-wlm and munge).
#   program=src/FewStep.Cli/bin/Release/net10.0/linux-x64/FewStep.Cli
#   bash tests/cluster/slurm.sh "$program"                  fewstep cluster slurm: a shard that is killed, a shard that is lost
#   bash tests/cluster/slurm.sh "$program" kills 30 [SEED]  its jobs and nodes killed at random moments
#   bash tests/cluster/slurm.sh "$program" mpi              training by srun --mpi (Debian: openmpi-bin, and mpich)
set -eu
usage="bash tests/cluster/slurm.sh path/to/FewStep.Cli [shards | kills NUMBER [SEED] | mpi]"
program=$(realpath -- "${1:?the program: $usage}")
check=${2-shards}
checks=$(realpath -- "$(dirname -- "$0")")
case "$check" in shards | kills | mpi) ;; *) echo "$usage" >&2 && exit 2 ;; esac
source "$checks/own-slurm.sh"

# In a folder whose name a shell and Slurm would misread.
work="$here/it's 5 %d"
mkdir "$work"
cd "$work"
shift "$(($# < 2 ? $# : 2))"
source "$checks/$check.sh"
