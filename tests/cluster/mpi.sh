# Training by srun --mpi, two ranks on two nodes: the bits of mpirun -n 2, also after a rank was killed, and one line where the processes
# would not know of each other. Read by slurm.sh.
export OMP_NUM_THREADS=1
cat >config.json <<'END'
{"name": "tiny", "shape": {"channels": 1, "height": 28, "width": 28}, "classes": 10, "preconditioning": {},
 "song_unet": {"img_resolution": 28, "in_channels": 1, "out_channels": 1, "label_dim": 10, "model_channels": 8, "channel_mult": [1],
               "num_blocks": 1, "attn_resolutions": [], "dropout": 0}}
END
train=("$program" train --config config.json --images 64 --batch 16 --threads 1 --quiet)
tune=("$program" tune --model base/model --sampler karras/euler/2 --threads 1 --updates 8 --tune-batch 6 --check-every 4 --held-out 6
    --distance pixels --snapshots none --checkpoint-seconds 0 --quiet)
mpirun=$(command -v mpirun.openmpi || command -v mpirun) || fail "There is no mpirun: install Open MPI (Debian: openmpi-bin)."
open=("$mpirun" --allow-run-as-root --oversubscribe --bind-to none -n 2)

weights() { # folder
    local file=$1/model.safetensors
    [ -e "$file" ] || file=$1/model/model.safetensors
    sha256sum <"$file"
}
equal() { # two folders
    [ "$(weights "$1")" = "$(weights "$2")" ] || fail "$2 has other weights than $1."
}

"${train[@]}" --out base >/dev/null
"${open[@]}" "${train[@]}" --out train-mpirun >/dev/null
"${open[@]}" "${tune[@]}" --out tune-mpirun >/dev/null
kinds=(pmix)
[ -z "$(ldconfig -p | grep 'libmpich\.so\.12')" ] || kinds+=(pmi2)
for kind in "${kinds[@]}"; do
    srun --mpi="$kind" -n 2 "${train[@]}" --out "train-$kind" >/dev/null
    srun --mpi="$kind" -n 2 "${tune[@]}" --out "tune-$kind" >/dev/null
    equal train-mpirun "train-$kind"
    equal tune-mpirun "tune-$kind"
    echo "srun --mpi=$kind: train and tune have the bits of mpirun"
done

# A rank is killed: the other ends with a line, and the same command goes on to the same bits.
srun --mpi=pmix -n 2 "${tune[@]}" --out killed >killed.log 2>&1 &
launched=$!
for _ in $(seq 3000); do [ -e killed/tuning.safetensors ] && break; sleep 0.05; done
for process in $(pgrep -f -- "--out killed\$"); do
    [ "$(tr '\0' '\n' <"/proc/$process/environ" | sed -n 's/^PMIX_RANK=//p')" != 1 ] || kill -9 "$process"
done
! wait "$launched" || fail "A training came to its end without one of its ranks."
grep -q '^fewstep: Rank 1 has ended without a word' killed.log || fail "Nobody said that a rank had ended: $(cat killed.log)"
srun --mpi=pmix -n 2 "${tune[@]}" --out killed >/dev/null
equal tune-mpirun killed
echo "a rank killed, the other ended, gone on with, the same"

# Without an MPI, and with another one's library.
refused() { # what is said, then the launch
    local words=$1
    shift
    ! "$@" "${tune[@]}" --out refused >refused.log 2>&1 || fail "It was not refused: $*"
    [ "$(grep -c "^fewstep: .*$words" refused.log)" -eq 2 ] || fail "Both should have said '$words': $(cat refused.log)"
    [ ! -e refused ] || fail "What was refused left a folder: $*"
}
refused 'without an MPI' srun --mpi=none -n 2
[[ " ${kinds[*]} " != *" pmi2 "* ]] || FEWSTEP_MPI_LIB=libmpich.so.12 refused 'they belong to different MPIs' srun --mpi=pmix -n 2
srun --mpi=none -n 1 "${tune[@]}" --out alone >/dev/null || fail "One process could not tune by itself."
echo "processes that do not know of each other are refused"

# The batch script of docs/mpi.md, two nodes.
cat >tune.sh <<END
#!/bin/bash
#SBATCH --nodes=2 --ntasks-per-node=1 --cpus-per-task=1 --time=10 --output=tune.log
srun --mpi=pmix --cpus-per-task="\$SLURM_CPUS_PER_TASK" --kill-on-bad-exit $(printf ' %q' "${tune[@]}") --out batch
END
sbatch --wait tune.sh >/dev/null || fail "The batch job failed: $(cat tune.log)"
equal tune-mpirun batch
echo "a batch job over two nodes: the same"
