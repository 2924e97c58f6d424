#!/usr/bin/env bash
# Brings FlashAttention-4 to a machine with Python 3.12 and a CUDA 13 build of torch that cannot reach a package index.
# flash4_site.sh pack FOLDER     here: FOLDER/flash4.part0 and .part1, about 41 MB each
# flash4_site.sh unpack FOLDER   there, with both parts in FOLDER: FOLDER/site; prints the PYTHONPATH to add
set -euo pipefail
command=$1 folder=$(mkdir -p "$2" && cd "$2" && pwd)
if [ "$command" = unpack ]; then
  cat "$folder"/flash4.part0 "$folder"/flash4.part1 | xz -dc -T0 | tar xf - -C "$folder"
  echo "$folder/site:$folder/site/nvidia_cutlass_dsl/dsl_packages"
  exit
fi
work=$(mktemp -d)
platforms=(--platform manylinux2014_x86_64)
for version in 2_35 2_31 2_28 2_24 2_17; do platforms+=(--platform "manylinux_${version}_x86_64"); done
python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp "${platforms[@]}" --pre -d "$work/wheels" \
  flash-attn-4==4.0.0b36 quack-kernels==0.6.5 einops==0.8.2 apache-tvm-ffi==0.1.15.post2 torch-c-dlpack-ext==0.1.5 \
  nvidia-cutlass-dsl==4.8.1 nvidia-cutlass-dsl-libs-core==4.8.1 nvidia-cutlass-dsl-libs-base==4.8.1 nvidia-cutlass-dsl-libs-cu13==4.8.1
mkdir "$work/site"
for wheel in "$work"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$work/site"; done
rm -rf "$work/site/nvidia_cutlass_dsl/cu13/lib/stubs"
tar cf - -C "$work" site | xz -T2 -2 > "$work/site.tar.xz"
split -n 2 -d -a 1 "$work/site.tar.xz" "$folder/flash4.part"
rm -rf "$work"
ls -l "$folder"
