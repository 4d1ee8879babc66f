#!/usr/bin/env bash
# Runs a command that sees one NVIDIA GPU of this machine only: the one whose number is the rank's on this host. For equal
# GPUs where Mesa's device-select layer is not installed. It covers the device files of the others in a mount namespace of
# its own, which takes no root where users may make namespaces (`unshare --user --mount true` tells).
#
#   mpirun -n 8 bash deploy/one-gpu.sh node apps/tubelet/dist/cli.js pretrain …
set -euo pipefail

local_rank="${OMPI_COMM_WORLD_LOCAL_RANK:-${MPI_LOCALRANKID:-${SLURM_LOCALID:-}}}"
if [[ -z "$local_rank" ]]; then
  echo "one-gpu.sh: no launcher says which rank this is; start it with mpirun or srun" >&2
  exit 2
fi

gpus=()
while IFS= read -r path; do gpus+=("$path"); done < <(ls -1v /dev/nvidia[0-9]* 2>/dev/null)
if ((${#gpus[@]} == 0)); then
  echo "one-gpu.sh: there is no /dev/nvidia0 here" >&2
  exit 2
fi
own="${gpus[$((local_rank % ${#gpus[@]}))]}"

# Ranks in namespaces of their own may not read one another's memory: messages go through shared memory instead.
export OMPI_MCA_btl_vader_single_copy_mechanism=none
export OWN_GPU="$own"
# shellcheck disable=SC2016 # expanded by the shell in the namespace
exec unshare --user --map-root-user --mount bash -c '
  for path in /dev/nvidia[0-9]*; do
    if [[ "$path" != "$OWN_GPU" ]]; then mount --bind /dev/null "$path"; fi
  done
  exec "$@"
' one-gpu.sh "$@"
