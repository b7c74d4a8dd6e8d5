# libtorch comes as the torch wheel, in a virtual environment of its own. A marker file with what it
# holds is written last: without it the environment counts as half-made.

torch_version=2.15.0
cuda_version=13.2.2
system_python=/usr/bin/python3

has_nvidia_driver() { [[ -e /proc/driver/nvidia/version ]] || nvidia-smi -L >/dev/null 2>&1; }

# Sets torch_dir to the folder "torch" of the environment.
find_torch() {
    local found
    for found in "$venv"/lib/python3*/site-packages/torch; do
        if [[ -e $found/lib/libtorch_cpu.so ]]; then
            torch_dir="$found"
            return 0
        fi
    done
    return 1
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# What the marker says when all is there: "torch 2.15.0, python 3.11, slim".
torch_state() { echo "torch $torch_version, cuda $cuda_version, python $(python_version "$system_python"), $1"; }

torch_is_ready() {
    local marker="$venv/.pareto-setup" kind="$1" stored
    [[ -r $marker ]] || return 1
    stored=$(<"$marker")
    [[ $stored == "$(torch_state full+nvcc)" || $stored == "$(torch_state "$kind")" ]] || return 1
    "$venv/bin/python" -c '' 2>/dev/null && find_torch
}

# An environment without a marker is taken as it is if every file of the packages is there.
torch_is_complete() {
    [[ $(python_version "$venv/bin/python") == "$(python_version "$system_python")" ]] || return 1
    "$venv/bin/python" -B "$root/resources/setup/check_packages.py" "torch==$torch_version" \
        "cuda-toolkit==$cuda_version" nvidia-cuda-runtime nvidia-cuda-cupti 2>/dev/null
}

pip_install() {
    "$venv/bin/python" -m pip install --disable-pip-version-check "$@" >&2 ||
        fail "pip could not install $*; its own message is above (is the network reachable, is the disk full?)."
}

make_torch() {
    local kind="$1"
    if torch_is_ready "$kind"; then return; fi
    if ! torch_is_complete; then
        say "Setting up libtorch ($torch_version) in $venv: about 600 MB to download"
        if [[ -e $venv && ! -e $venv/pyvenv.cfg ]]; then
            fail "$venv is in the way: it is no virtual environment of Python. Move it elsewhere."
        fi
        rm -rf "$venv"
        "$system_python" -m venv "$venv" >&2 ||
            fail "Python could not make a virtual environment in $venv; its own message is above."
        # torch last: pip would complain of the dependencies that are left out on purpose.
        pip_install "cuda-toolkit[cudart,cupti]==$cuda_version"
        pip_install --no-deps "torch==$torch_version"
    fi
    if [[ $kind == full+nvcc ]]; then
        say "An NVIDIA driver is here: installing the CUDA libraries of torch and nvcc (about 3 GB to download)"
        pip_install "torch==$torch_version" "cuda-toolkit[nvcc,cccl]==$cuda_version"
    fi
    find_torch || fail "The torch package in $venv holds no libtorch_cpu.so; remove that folder and call ./dev again."
    torch_state "$kind" >"$venv/.pareto-setup.new"
    mv "$venv/.pareto-setup.new" "$venv/.pareto-setup"
}

setup_torch() {
    local kind=slim
    if has_nvidia_driver; then kind=full+nvcc; fi
    if ! torch_is_ready "$kind"; then with_lock torch make_torch "$kind"; fi
    find_torch
    export PARETO_TORCH_DIR="$torch_dir"
}

# prepare_samples SETS
prepare_samples() {
    "$venv/bin/python" -B "$root/resources/setup/prepare_samples.py" --folder "$samples" --set "$1" ||
        fail "The sample models and data are not complete; the reason is above."
}
