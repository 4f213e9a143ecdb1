#!/bin/sh
# Runs the eight parts of reports/frontier.sbatch, as a script and on a Slurm of its own, one node without root's
# configuration, and compares the merged frontiers with a single run: `slurm.sh AFFORD`. Exits 77 (skipped) after the
# first where Slurm is not installed.
set -eu
afford=$(realpath "$1")
sbatch_file=$(cd "$(dirname "$0")/../reports" && pwd)/frontier.sbatch
search="-m step-3,qwen3-moe --on h800,h20 -c 8k,32k --max-gpus 40 --objective both"
folder=$(mktemp -d)
PATH=$(dirname "$afford"):$PATH:/usr/sbin:/sbin
export PATH
trap 'rm -rf "$folder"' EXIT INT TERM
cd "$folder"
# shellcheck disable=SC2086  # a list of words
"$afford" pareto $search --format csv -o single.csv 2>/dev/null
for part in 1 2 3 4 5 6 7 8; do
  # shellcheck disable=SC2086
  SLURM_ARRAY_TASK_ID=$part SLURM_ARRAY_TASK_COUNT=8 sh "$sbatch_file" $search 2>/dev/null
done
"$afford" merge part-*.csv --format csv -o frontier.csv
cmp frontier.csv single.csv
rm part-*.csv frontier.csv
echo "slurm: eight parts of the script merge to the single run, $(wc -l < single.csv) lines"
for program in slurmctld slurmd sbatch scontrol; do
  command -v $program >/dev/null || { echo "slurm: skipped, $program is not installed (Debian: slurm-wlm)"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "slurm: skipped, slurmd needs root"; exit 77; }
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

cd "$folder/work"
tries=0
# shellcheck disable=SC2086  # a list of words
until array=$(sbatch --parsable --array=1-8 "$sbatch_file" $search 2>/dev/null); do
  tries=$((tries + 1))
  [ $tries -lt 30 ] || { echo "slurm: no answer from slurmctld" >&2; cat "$folder"/slurm*.log >&2; exit 1; }
  sleep 1
done
sbatch --wait --dependency="afterok:$array" --wrap 'afford merge part-*.csv --format csv -o frontier.csv' >/dev/null || {
  echo "slurm: the jobs failed" >&2
  cat ./*.out "$folder"/slurm*.log >&2
  exit 1
}
cmp frontier.csv ../single.csv
echo "slurm: eight parts of a job array merge to it, too"
