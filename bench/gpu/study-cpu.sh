# The tiny study on the machine's processors, in the background, while GPUs do something else: three workers of six cells.
#   setsid bash bench/gpu/study-cpu.sh CORES > /tmp/gradus/study.log 2>&1 &
. bench/gpu/unpack.sh
cd /tmp/gradus/tree || exit
export CUDA_VISIBLE_DEVICES= OMP_NUM_THREADS=1
for worker in 1 2 3; do
  (for part in hard quickstart; do
    taskset -c "$1" node apps/cli/bundle/main.js sweep run experiments/studies/curriculum/$part.sweep.yaml --runs /tmp/gradus/runs-cpu --concurrency 6 --retry-failed --json
  done) &
done
wait
