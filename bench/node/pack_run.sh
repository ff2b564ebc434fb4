#!/bin/sh
# Benchmarks on a Linux machine with an NVIDIA GPU, without network and without Node (packed by npm run bench:pack):
#
#   run.sh                          all of the following, with default options
#   run.sh bench [options]          every op and whole steps
#   run.sh node [options]           webvae against tfjs on WebGPU, and large products
#   run.sh pytorch [options]        the same models in PyTorch, if python3 has it
#
# Results go to the folder RESULTS, by default "results" next to this file. PEAK is the GPU's f32 peak in GFLOP/s, used
# to report the products' share of it. VK_DRIVER_FILES chooses another Vulkan driver.
set -u
here=$(cd "$(dirname "$0")" && pwd)
results=${RESULTS:-$here/results}
mkdir -p "$results" || exit 1

# Compressed, so that the folder stays small.
for file in bin/node node_modules/webgpu/dist/linux-x64/dawn.node; do
  if [ ! -f "$here/$file" ]; then
    gunzip -c "$here/$file.gz" >"$here/$file.part" && chmod 755 "$here/$file.part" &&
      mv "$here/$file.part" "$here/$file" || exit 1
  fi
done

driver=${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}
libraries=${LD_LIBRARY_PATH:-}
if [ -z "$driver" ]; then
  for file in /usr/share/vulkan/icd.d/nvidia_icd*.json /etc/vulkan/icd.d/nvidia_icd*.json \
    /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd*.json; do
    if [ -f "$file" ]; then
      driver=$file
      break
    fi
  done
fi
if [ -z "$driver" ]; then
  # Containers often have NVIDIA's libraries without the ICD file that tells Vulkan about them.
  driver=$here/nvidia_icd.json
  echo '{"file_format_version":"1.0.0","ICD":{"library_path":"libGLX_nvidia.so.0","api_version":"1.3.0"}}' >"$driver"
fi
if [ -d /usr/local/nvidia/lib64 ]; then libraries=$libraries:/usr/local/nvidia/lib64; fi
if ! { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q 'libvulkan\.so\.1 '; then libraries=$libraries:$here/lib; fi
# An empty entry would be the current folder.
libraries=${libraries#:}
if [ -n "$libraries" ]; then export LD_LIBRARY_PATH="$libraries"; fi
# The second name is the older one. Mesa's layer that sorts devices by display prints an error if there is no display.
export VK_DRIVER_FILES="$driver" VK_ICD_FILENAMES="$driver" NODEVICE_SELECT=1
export WEBVAE_DRIVER="the Vulkan driver $driver" WEBVAE_COMMIT="$(cat "$here/commit")"

program() {
  name=$1
  shift
  case $name in
  bench) "$here/bin/node" "$here/programs/bench.mjs" --out "$results/bench.json" "$@" ;;
  node) "$here/bin/node" "$here/programs/node.mjs" --out "$results" ${PEAK:+--peak "$PEAK"} "$@" ;;
  pytorch)
    against=$(ls -t "$results"/node-*.json 2>/dev/null | head -n 1)
    python3 "$here/pytorch/step.py" --out "$results" ${against:+--against "$against"} "$@"
    ;;
  *)
    echo "run.sh: unknown command \"$name\"; the choices are bench, node, pytorch" >&2
    return 2
    ;;
  esac
}

if [ $# -gt 0 ]; then
  program "$@"
  exit
fi
status=0
for name in bench node; do program "$name" || status=1; done
if python3 -c 'import torch' 2>/dev/null; then
  program pytorch || status=1
else
  echo "python3 has no torch, so PyTorch is not measured"
fi
exit $status
