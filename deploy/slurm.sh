#!/usr/bin/env bash
#SBATCH --job-name=tubelet
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=12
#SBATCH --time=24:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=tubelet-%j.log
#
# Pre-training on two hosts of four GPUs: sbatch deploy/slurm.sh
# Change the numbers above and the three paths below. `srun --mpi=list` says whether the cluster has pmix (Open MPI) or pmi2
# (MPICH). Put `bash deploy/one-gpu.sh` before `node` where equal GPUs cannot be told apart otherwise.
set -euo pipefail

tubelet="$HOME/tubelet"
voxceleb2=/data/VoxCeleb2
run="/data/runs/$SLURM_JOB_NAME"

# module load openmpi
cd "$tubelet"
checkpoints() { ls "$run"/checkpoints/step-*.safetensors 2> /dev/null || true; }
before=$(checkpoints)

# Two minutes before the end of its time every rank is sent SIGUSR1; the run stops with a checkpoint.
status=0
srun --mpi=pmix --kill-on-bad-exit=1 --cpu-bind=none \
  node apps/tubelet/dist/cli.js pretrain voxceleb2 --root "$voxceleb2" --out "$run" --batch-size 16 --epochs 100 \
  --save-every 2000 --resume auto ||
  status=$?

if grep -qs '"type":"end"' "$run/log.jsonl"; then exit "$status"; fi
# A failure without a new checkpoint before it is likely to come again.
if [ "$status" -ne 0 ] && [ "$(checkpoints)" = "$before" ]; then exit "$status"; fi
# A run that was stopped before its end, or failed on the way, goes on when its turn comes again.
scontrol requeue "$SLURM_JOB_ID"
