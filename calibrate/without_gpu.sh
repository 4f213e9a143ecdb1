#!/bin/sh
# On a machine without a GPU, or with none visible, afford-calibrate says so in one line and exits 2.
# Use: without_gpu.sh AFFORD_CALIBRATE
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0

expect() {  # EXIT TEXT ARGUMENTS...
  code=$1 text=$2
  shift 2
  CUDA_VISIBLE_DEVICES="" "$program" "$@" >"$folder/out" 2>&1
  got=$?
  if [ $got -ne "$code" ] || [ "$(wc -l <"$folder/out")" -ne 1 ] || ! grep -q -e "$text" "$folder/out"; then
    echo "afford-calibrate $*: expected exit $code and one line with '$text', got exit $got and:" >&2
    cat "$folder/out" >&2
    status=1
  fi
}

program=$1
hardware=$(dirname "$0")/../hardware
expect 2 "no CUDA GPU: .*; run it on a machine with a Hopper GPU" run -o "$folder"
expect 2 "no CUDA GPU: " verify
expect 2 "no CUDA GPU: " verify --beside "$folder/beside.csv"
expect 2 "no/beside.csv: " verify --beside no/beside.csv
expect 1 "no CUDA GPU: " list
expect 2 "no verb 'rum'; did you mean 'run'?" rum
expect 2 "no option '--quik'; did you mean '--quick'?" run --quik
expect 2 "no operation 'mla_decod'; did you mean 'mla_decode'?" run --only read,mla_decod
expect 2 "links does not expect 'extra'" links extra
expect 2 "--gpu: expected 0 to 1023, got 'x'" run --gpu x
expect 2 "--seconds-per-point: expected 0.01 to 60, got 'nan'" run --seconds-per-point nan
expect 2 "--gpu: given more than once; expected one value" run --gpu 0 --gpu 1
expect 2 "expected cards" fit
expect 2 "^no.yaml: no such file" fit no.yaml
expect 2 "^no.yaml: no such file" afd no.yaml
expect 2 "h100.calibration.yaml a second time" fit "$hardware/h100.calibration.yaml" "$hardware/h100.calibration.yaml"
expect 2 "-o would write over .*, which this command reads" fit "$hardware/h100.calibration.yaml" -o "$hardware"
expect 0 "afford-calibrate [0-9.]* (" --version
[ -z "$(find "$folder" -name '*.yaml' -o -name '*.csv')" ] || { echo "files were written" >&2; status=1; }
exit $status
