# Ours and others' on two GPUs at once, one shape a GPU at a time, each on cores of its own. First argument: which parts.
#   bash bench/gpu/rivals.sh trainer|generator|step
# A part must end within a call's 600 s on either GPU. --rival-seconds is what others get of a bench's own limit, both
# engine starts of vLLM together: what they have by then is kept, the rest says that there was no time.
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
    (bench 0 170 trainer 135m --rivals trl --rival-seconds 70; LINES_LAST=75 bench 0 230 trainer 0.6b --profile --rivals trl --rival-seconds 90; bench 0 190 trainer 1.5b --rivals trl --rival-seconds 90) &
    (bench 1 200 trainer 8b --rivals; bench 1 150 trainer 4b --rivals; bench 1 60 check 0.6b) & ;;
  generator)
    (bench 0 295 generator 0.6b --rivals vllm --rival-seconds 220; bench 0 295 generator 1.5b --rivals vllm --rival-seconds 210) &
    (bench 1 260 step 135m --rivals trl-vllm --rival-seconds 200; bench 1 290 generator 135m --rivals vllm --rival-seconds 220) & ;;
  step)
    (bench 0 150 trainer 0.6b --rivals --profile; bench 0 300 step 0.6b --rivals trl-vllm --rival-seconds 230) &
    (bench 1 480 generator 8b --rivals vllm --rival-seconds 360; bench 1 100 trainer 1.5b --rivals) & ;;
esac
wait
