# Ours and others' on two GPUs at once, one shape a GPU at a time, each on cores of its own. First argument: which parts.
#   bash bench/gpu/rivals.sh trainer|generator|step
. bench/gpu/unpack.sh
export PYTHONPATH=$PYTHONPATH:/tmp/gradus/vllm/site OUT=${OUT:-/tmp/gradus/out}
export TORCHINDUCTOR_CACHE_DIR=/tmp/gradus/inductor
mkdir -p "$OUT"
bench() { # GPU SECONDS PART SHAPE [options]
  export MASTER_PORT=$((29500 + 100 * $1))
  cores=$([ "$1" = 0 ] && echo 0-5 || echo 6-11)
  CUDA_VISIBLE_DEVICES=$1 taskset -c "$cores" timeout "$2" python3 -m gradus_trainer.bench --part "$3" --shape "$4" "${@:5}" > "/tmp/gradus/bench-$3-$4.txt" 2>&1
  echo "== $3 $4: status $?, $SECONDS s"; grep -v "INFO\|Warning\|warn" "/tmp/gradus/bench-$3-$4.txt" | tail -${LINES_LAST:-14} | cut -c1-180
}
case $1 in
  trainer)
    (bench 0 120 trainer 135m --rivals; LINES_LAST=75 bench 0 160 trainer 0.6b --rivals --profile; bench 0 120 trainer 1.5b --rivals) &
    (bench 1 200 trainer 8b --rivals; bench 1 150 trainer 4b --rivals; bench 1 60 check 0.6b) & ;;
  generator)
    (bench 0 260 generator 0.6b --rivals vllm; bench 0 260 generator 1.5b --rivals vllm) &
    (bench 1 260 step 135m --rivals trl-vllm; bench 1 230 generator 135m --rivals vllm) & ;;
  step)
    (bench 0 150 trainer 0.6b --rivals --profile; bench 0 300 step 0.6b --rivals trl-vllm) &
    (bench 1 330 generator 8b --rivals vllm; bench 1 100 trainer 1.5b --rivals) & ;;
esac
wait
