# On the GPU machine: keeps the pieces of this call (first argument: the folder's number) in /tmp/gradus and unpacks what is whole.
# Source it: it sets what programs need.   . bench/gpu/unpack.sh 1
mkdir -p /tmp/gradus/pieces /tmp/gradus/site /tmp/gradus/vllm
if [ -n "${1:-}" ]; then cp .gpu/"$1"/* /tmp/gradus/pieces/; fi
take() { # NAME FOLDER: a marker says that it was unpacked
  [ -e "/tmp/gradus/$1.done" ] && return 0
  cat /tmp/gradus/pieces/"$1".tar.xz.?? 2>/dev/null > "/tmp/gradus/$1.tar.xz" || return 0
  if xz -t "/tmp/gradus/$1.tar.xz" 2>/dev/null && tar -C "$2" -xf "/tmp/gradus/$1.tar.xz"; then touch "/tmp/gradus/$1.done"; echo "unpacked $1"; fi
}
# what runs for longer than a call must not lie in the tree that the next call brings anew
mkdir -p /tmp/gradus/tree/.cache/models
cp -ru apps packages experiments /tmp/gradus/tree/
take node /tmp/gradus; take programs /tmp/gradus/tree; take site /tmp/gradus/site; take kernels /tmp/gradus/site; take model /tmp/gradus/tree/.cache/models; take vllm /tmp/gradus/vllm
export PATH=/tmp/gradus:$PATH GRADUS_PYTHON="$(command -v python3)" PYTHONUNBUFFERED=1
export PYTHONPATH=/tmp/gradus/tree/apps/trainer/src:/tmp/gradus/tree/apps/trainer:/tmp/gradus/site
gradus() { node /tmp/gradus/tree/apps/cli/bundle/main.js "$@"; }
# trainers that the command line starts have a PYTHONPATH of their own
echo "import site; site.addsitedir('/tmp/gradus/site')" > "$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/gradus.pth"
