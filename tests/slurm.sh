#!/bin/sh
# Runs reports/frontier.sbatch on a Slurm of its own, one node without root's configuration, and compares the
# merged frontier with a single run: `slurm.sh AFFORD`. Exits 77 (skipped) where Slurm is not installed.
set -eu
PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd sbatch scontrol; do
  command -v $program >/dev/null || { echo "slurm: skipped, $program is not installed (Debian: slurm-wlm)"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "slurm: skipped, slurmd needs root"; exit 77; }
afford=$1
sbatch_file=$(cd "$(dirname "$0")/../reports" && pwd)/frontier.sbatch
folder=$(mktemp -d)
control="" node=""
finish() {
  [ -z "$node" ] || kill "$node" 2>/dev/null || true
  [ -z "$control" ] || kill "$control" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT INT TERM
mkdir "$folder/state" "$folder/spool" "$folder/work"
port=$((20000 + $$ % 20000))
export SLURM_CONF="$folder/slurm.conf"
cat > "$SLURM_CONF" <<EOF
ClusterName=afford$$
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SchedulerParameters=sched_interval=1
NodeName=$(hostname) NodeAddr=127.0.0.1 CPUs=$(getconf _NPROCESSORS_ONLN)
PartitionName=all Nodes=$(hostname) Default=YES MaxTime=10 State=UP
EOF
slurmctld -D > "$folder/slurmctld.log" 2>&1 & control=$!
slurmd -D > "$folder/slurmd.log" 2>&1 & node=$!

search="-m step-3,qwen3-moe --on h800,h20 -c 8k,32k --max-gpus 64 --objective both"
PATH=$(dirname "$afford"):$PATH
export PATH
cd "$folder/work"
tries=0
# shellcheck disable=SC2086  # a list of words
until array=$(sbatch --parsable --array=1-5 "$sbatch_file" $search 2>/dev/null); do
  tries=$((tries + 1))
  [ $tries -lt 30 ] || { echo "slurm: no answer from slurmctld" >&2; cat "$folder"/slurm*.log >&2; exit 1; }
  sleep 1
done
sbatch --wait --dependency="afterok:$array" --wrap 'afford merge part-*.csv --format csv -o frontier.csv' >/dev/null || {
  echo "slurm: the jobs failed" >&2
  cat ./*.out "$folder"/slurm*.log >&2
  exit 1
}
# shellcheck disable=SC2086
"$afford" pareto $search --format csv -o single.csv 2>/dev/null
cmp frontier.csv single.csv
echo "slurm: five parts merge to the single run, $(wc -l < single.csv) lines"
