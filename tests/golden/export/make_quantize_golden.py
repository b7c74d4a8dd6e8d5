#!/usr/bin/env python3
"""Writes quantize_<type>.bin beside this file: what ggml makes of the values of quantize_input.bin.

make_quantize_golden.py LIBRARY: libggml-base.so of a llama.cpp built for plain x86-64 (./dev test --peers
builds one). Where gguf-py can quantize, too, both must agree, but for the sign of a scale that is zero.
"""
import ctypes
import os
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import quantize

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
COLUMNS = 256


def rows():
    """A row of 256 values each: plain, and everything that has a branch of its own."""
    rng = np.random.default_rng(4)
    normal = rng.standard_normal((6, COLUMNS)).astype(np.float32)
    out = list(normal * np.array([[1], [0.02], [1e-3], [30], [1e-5], [1e-7]], np.float32))
    out.append(np.zeros(COLUMNS, np.float32))
    out.append(-np.zeros(COLUMNS, np.float32))
    out.append(np.full(COLUMNS, 0.25, np.float32))
    out.append(np.full(COLUMNS, -0.75, np.float32))
    out.append(np.abs(normal[0]))                                          # no negative value
    out.append(-np.abs(normal[1]) - 1)                                     # only negative values
    out.append(np.where(rng.random(COLUMNS) < 0.7, 0, normal[2]).astype(np.float32))  # sparse
    blocks = normal[3].copy()
    blocks[32:64] = 0                                                      # a stretch of zeros
    blocks[64:96] *= 1e-6
    blocks[96:128] = np.where(np.arange(32) == 5, 7, 0)                    # one value
    blocks[128:144] = 0
    out.append(blocks)
    out.append(np.repeat(rng.integers(-8, 8, 8), 32).astype(np.float32) * np.float32(0.1))
    out.append((rng.integers(-127, 128, COLUMNS) * np.float32(1 / 64)).astype(np.float32))
    return np.stack(out)


def by_ggml(library, values, kind):
    elements, size = GGML_QUANT_SIZES[kind]
    out = np.zeros((values.shape[0], values.shape[1] // elements * size), np.uint8)
    written = library.ggml_quantize_chunk(
        ctypes.c_int(kind.value), values.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
        out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0), ctypes.c_int64(values.shape[0]),
        ctypes.c_int64(values.shape[1]), None)
    assert written == out.size, kind
    return out


def main():
    library = ctypes.CDLL(sys.argv[1])
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    values = rows()
    values.tofile(os.path.join(HERE, "quantize_input.bin"))
    for name in TYPES:
        kind = Type[name]
        data = by_ggml(library, values, kind)
        try:
            theirs = quantize(values, kind).view(np.uint8)
            differing = (theirs != data).any(axis=1) & (values != 0).any(axis=1)
            assert not differing.any(), f"{name}: gguf-py differs in rows {np.flatnonzero(differing)}"
        except NotImplementedError:
            print(f"{name}: not in gguf-py")
        data.tofile(os.path.join(HERE, f"quantize_{name}.bin"))


main()
