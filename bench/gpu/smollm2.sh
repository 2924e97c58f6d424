# SmolLM2 on two GPUs, two or three cells at a time on each: the learning rate of the study on a seed of its own, then the study; beside it the scan of settings,
# whose winner is run on four other seeds (long.sweep.yaml).   setsid bash bench/gpu/smollm2.sh CORES > /tmp/gradus/smollm2.log 2>&1 &
. bench/gpu/unpack.sh
cores=$1
here=$PWD/bench/gpu
cd /tmp/gradus/tree || exit
study=experiments/studies/curriculum
runs=/tmp/gradus/runs
sweep() { # GPU FILE
  taskset -c "$cores" node apps/cli/bundle/main.js sweep run "$2" --gpus "$1" --runs $runs --json
}
best() { # NAME RESULTS
  python3 "$here/best.py" $runs/sweeps/"$1"/plan.json "$2"
}
(
  sweep 0 $study/smollm2-rates.sweep.yaml
  rate=$(best curriculum-smollm2-rates $study/results/smollm2 | sed 's/.*=//')
  echo "learning rate of the study: $rate"
  sed -i "s/train.learning_rate.peak: [0-9.e-]*/train.learning_rate.peak: $rate/" $study/smollm2.sweep.yaml
  touch /tmp/gradus/rate.done
  sweep 0 $study/smollm2.sweep.yaml
) &
(
  sweep 1 experiments/smollm2/scan.sweep.yaml
  winner=$(best smollm2-scan experiments/smollm2/results/scan)
  echo "winner of the scan: $winner"
  sed -e 's/smollm2-scan/smollm2-long/; s/^seeds: .*/seeds: [301, 302, 303, 304]/; s/^baseline: .*/baseline: '"$winner"'/; s,results/scan,results/long,' \
    -e '/^#/d; /^      #/d' experiments/smollm2/scan.sweep.yaml | awk -v arm="$winner:" '!/^      / || $1 == arm' > experiments/smollm2/long.sweep.yaml
  touch /tmp/gradus/long.done
  sweep 1 experiments/smollm2/long.sweep.yaml
) &
for gpu in 0 1; do
  (
    sweep $gpu experiments/smollm2/scan.sweep.yaml
    until [ -e /tmp/gradus/long.done ]; do sleep 1; done
    [ $gpu = 1 ] && sweep 1 experiments/smollm2/long.sweep.yaml
    until [ -e /tmp/gradus/rate.done ]; do sleep 1; done
    sweep $gpu $study/smollm2.sweep.yaml
  ) &
done
wait
touch /tmp/gradus/smollm2.done
