#!/usr/bin/env python3
"""Writes gguf_grids.h beside this file: the codebooks of GGUF's IQ types as gguf-py (its quants.py) holds
them, each row's values as indices into a short list of magnitudes, packed into 16 bits."""
import os

import numpy as np
from gguf import quants

HEAD = """// Written by make_gguf_grids.py from gguf-py (MIT, the ggml authors): change that, not this.
#pragma once

#include <array>
#include <cstdint>

namespace pareto::io {

/// A codebook: row r's value j is values[(rows[r] >> (j * bits)) & (2^bits - 1)].
template <std::size_t Rows, std::size_t Values>
struct PackedGrid {
    std::array<std::uint16_t, Rows> rows;
    std::array<std::int8_t, Values> values;
};
"""
#: Sixteen bits hold a row: eight values of two bits or four of four.
GRIDS = [("IQ1S", quants.IQ1_S), ("IQ2XXS", quants.IQ2_XXS), ("IQ2XS", quants.IQ2_XS), ("IQ2S", quants.IQ2_S),
         ("IQ3XXS", quants.IQ3_XXS), ("IQ3S", quants.IQ3_S)]


def lines(numbers, form, each):
    texts = [form.format(n) for n in numbers]
    return "\n".join("    " + ", ".join(texts[i:i + each]) + "," for i in range(0, len(texts), each))


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gguf_grids.h")
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEAD)
        for name, kind in GRIDS:
            rows = np.frombuffer(bytes.fromhex(kind.grid_hex.decode()), dtype="<u2")
            assert len(rows) == kind.grid_shape[0]
            values = ", ".join(str(v) for v in kind.grid_map)
            out.write(f"\ninline constexpr PackedGrid<{len(rows)}, {len(kind.grid_map)}> kGrid{name}{{{{{{\n"
                      f"{lines(rows, '0x{:04X}', 12)}\n}}}},\n{{{{{values}}}}}}};\n")
        out.write("\n/// Bit j says whether value j of eight is negative; of 7 stored bits, the eighth makes the\n"
                  "/// number of negative ones even.\n"
                  f"inline constexpr std::array<std::uint8_t, 128> kGridSigns{{{{\n"
                  f"{lines(quants.IQ2_XXS.ksigns, '0x{:02X}', 16)}\n}}}};\n")
        out.write("\n}  // namespace pareto::io\n")


main()
