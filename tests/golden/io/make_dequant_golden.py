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
#: Where each block format keeps its fp16 scales.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
          "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def main():
    for name, places in SCALES.items():
        rng = np.random.default_rng(7)
        kind = Type[name]
        elements, size = GGML_QUANT_SIZES[kind]
        count = 4096 // elements // 4
        blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
        for place in places:
            scales = (rng.standard_normal(count) * 0.05).astype(np.float16)
            scales[:3] = np.array([0.0, 6e-8, -65504.0], dtype=np.float16)[:min(3, count)]
            blocks[:, place:place + 2] = scales.view(np.uint8).reshape(count, 2)
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
