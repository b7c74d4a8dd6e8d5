"""The least time a calibrated method could take here: the arithmetic of its products at the measured rate of
fp32 matrix products. No implementation reaches it; it says how much of the time is not arithmetic.

Called as a program (THREADS) it prints that rate in FLOP/s.
"""

import json
import os
import struct
import subprocess
import sys
import time

PASSES = 2  # samples through the blocks: to see the inputs, and through the result
AWQ_CANDIDATES = 20
# Linears of a Llama block that read the same input share a Hessian: one of each set stands for it.
READERS = ("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj")


def linear_shapes(folder):
    """name: [rows, cols] of the blocks' linears, from the safetensors header."""
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {name: entry["shape"] for name, entry in header.items() if name.endswith("_proj.weight")}


def gemm_rate(threads, size=1536, repeats=7):
    """FLOP/s of the best of some products."""
    import torch
    torch.set_num_threads(threads)
    a, b = torch.randn(size, size), torch.randn(size, size)
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2 * size ** 3 / best


class Floor:
    def __init__(self, folder, threads):
        self.shapes = linear_shapes(folder)
        # Elsewhere, because torch takes memory that must not count as that of what is started later.
        self.rate = float(subprocess.check_output([sys.executable, "-B", __file__, str(threads)]))

    def widths(self):
        return [shape[1] for name, shape in self.shapes.items() if any(reader in name for reader in READERS)]

    def forward(self, tokens):
        return 2 * PASSES * tokens * sum(rows * cols for rows, cols in self.shapes.values())

    def hessians(self, tokens):
        """Σ x·xᵀ, half of it for symmetry."""
        return sum(tokens * cols * cols for cols in self.widths())

    def solver(self):
        """H⁻¹'s factor (4/3 n³, one a Hessian) and every column's correction of those behind it."""
        return sum(4 / 3 * cols ** 3 for cols in self.widths()) + \
            sum(rows * cols * cols for rows, cols in self.shapes.values())

    def flops(self, method, tokens):
        if method in ("rtn", "magnitude"):
            return 0
        if method.startswith("wanda"):
            return self.forward(tokens)
        if method == "awq":  # candidates compared through the Hessian
            return self.forward(tokens) + self.hessians(tokens) + \
                AWQ_CANDIDATES * sum(2 * rows * cols * cols for rows, cols in self.shapes.values())
        return self.forward(tokens) + self.hessians(tokens) + self.solver()

    def seconds(self, method, tokens):
        return max(self.flops(method, tokens) / self.rate, 1e-3)


if __name__ == "__main__":
    print(gemm_rate(int(sys.argv[1])))
