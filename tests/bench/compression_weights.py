"""How near two compressed models are, linear by linear."""

import os

import torch
from safetensors.torch import load_file

NAMES = "_proj.weight"


def linears(path, bits):
    """name: fp32 values. A folder of the program's may hold codes: those are turned into values."""
    if os.path.isdir(path):
        tensors = load_file(os.path.join(path, "model.safetensors"))
        tensors = unpacked(tensors, bits)
    else:
        tensors = load_file(path)
    return {name: value.float() for name, value in tensors.items() if name.endswith(NAMES)}


def unpacked(tensors, bits):
    """Values of compressed-tensors' linears, scale · (code − zero), codes as bytes or packed."""
    from compressed_tensors.compressors.pack_quantized.helpers import unpack_from_int32
    out = {name: value for name, value in tensors.items() if name.endswith(NAMES)}
    for name in [name for name in tensors if name.endswith("weight_scale")]:
        stem, scale = name[:-len("_scale")], tensors[name].float()
        if stem + "_packed" in tensors:
            codes = unpack_from_int32(tensors[stem + "_packed"], bits, tensors[stem + "_shape"])
        else:
            codes = tensors[stem]
        zeros = tensors.get(stem + "_zero_point", torch.zeros(scale.shape, dtype=torch.int8))
        if zeros.dtype == torch.int32:
            zeros = unpack_from_int32(zeros, bits, scale.shape, packed_dim=0)
        width = codes.shape[1] // scale.shape[1]
        steps = codes.float() - zeros.float().repeat_interleave(width, 1)
        out[stem] = scale.repeat_interleave(width, 1) * steps
    return out


def compare(ours, theirs, dense, bits):
    """(share of places zero in both or neither, ‖ours − theirs‖ / ‖theirs − dense‖) over all linears."""
    mine, other, before = (linears(path, bits) for path in (ours, theirs, dense))
    if set(mine) != set(other):
        raise ValueError("the two models have other linears")
    alike = places = apart = moved = 0.0
    for name, value in mine.items():
        alike += float(((value == 0) == (other[name] == 0)).sum())
        places += value.numel()
        apart += float((value - other[name]).double().pow(2).sum())
        moved += float((other[name] - before[name]).double().pow(2).sum())
    return alike / places, (apart / moved) ** 0.5 if moved else 0.0
