#!/usr/bin/env python3
"""Writes dequant_<type>.bin beside this file: u32 number of bytes, the blocks, then their values in fp32
as gguf-py dequantizes them. Blocks are quantized random values where gguf-py can quantize, and random
bytes with finite scales for all types."""
import os
import struct

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize

HERE = os.path.dirname(os.path.abspath(__file__))
#: Where each block format keeps its fp16 scales; every type that gguf-py can dequantize.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
          "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "TQ1_0": [52], "TQ2_0": [64],
          "IQ1_S": [0], "IQ1_M": [], "IQ2_XXS": [0], "IQ2_XS": [0], "IQ2_S": [0], "IQ3_XXS": [0],
          "IQ3_S": [0], "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": [], "NVFP4": []}


def spread_scales(blocks, scales):
    """IQ1_M keeps four bits of its scale at the top of each of its last four words."""
    words = blocks[:, 48:56].copy().view("<u2")
    nibbles = (scales.view("<u2").reshape(-1, 1) >> np.array([0, 4, 8, 12], dtype="<u2")) & 0xF
    blocks[:, 48:56] = ((words & 0x0FFF) | (nibbles << 12)).astype("<u2").view(np.uint8)


def finite_scales(rng, count):
    scales = (rng.standard_normal(count) * 0.05).astype(np.float16)
    special = np.array([0.0, 6e-8, -65504.0], dtype=np.float16)[:min(3, count)]
    scales[:len(special)] = special
    return scales


def main():
    for name, places in SCALES.items():
        rng = np.random.default_rng(7)
        kind = Type[name]
        elements, size = GGML_QUANT_SIZES[kind]
        count = max(4096 // elements // 4, 8 if name.startswith("IQ") else 0)
        blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
        for place in places:
            blocks[:, place:place + 2] = finite_scales(rng, count).view(np.uint8).reshape(count, 2)
        if name == "IQ1_M":
            spread_scales(blocks, finite_scales(rng, count))
        data = blocks.reshape(1, -1)
        try:
            values = rng.standard_normal((1, elements * count)).astype(np.float32)
            data = np.concatenate([data, quantize(values, kind)], axis=1)
        except NotImplementedError:
            pass
        values = dequantize(data, kind).astype(np.float32)
        with open(os.path.join(HERE, f"dequant_{name}.bin"), "wb") as file:
            file.write(struct.pack("<I", data.size) + data.tobytes() + values.tobytes())


main()
