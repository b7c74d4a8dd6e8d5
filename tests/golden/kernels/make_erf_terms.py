"""The terms of erfOf() in engine/kernels/vector/simd.h: prints the table and its largest error in fp32.

Usage: python3 make_erf_terms.py (needs numpy). Each quarter of [0, 4) has the polynomial of degree 5 that goes through erf at its six
Chebyshev nodes, in powers of the distance to its middle; the last one is 1, which erf is there to 1.2e-7.
"""

import math

import numpy as np
from numpy.polynomial import polynomial

DEGREE = 5
QUARTERS = 16
HALF = 0.125


def terms():
    nodes = HALF * np.cos((2 * np.arange(DEGREE + 1) + 1) * np.pi / (2 * (DEGREE + 1)))
    rows = []
    for quarter in range(QUARTERS - 1):
        middle = 2 * HALF * quarter + HALF
        rows.append(polynomial.polyfit(nodes, [math.erf(middle + node) for node in nodes], DEGREE))
    rows.append([1.0] + [0.0] * DEGREE)
    return np.array(rows, dtype=np.float32)


def worst(table):
    out = 0.0
    for x in np.linspace(0, 3.9999997, 100001, dtype=np.float32):
        quarter = int(x * np.float32(4))
        distance = np.float32(x - np.float32(2 * HALF * quarter + HALF))
        value = table[quarter][DEGREE]
        for power in range(DEGREE - 1, -1, -1):
            value = np.float32(np.float32(value * distance) + table[quarter][power])
        out = max(out, abs(float(value) - math.erf(x)))
    return out


if __name__ == "__main__":
    made = terms()
    for power in range(DEGREE + 1):
        print("{" + ", ".join(f"{value:.9g}F" for value in made[:, power]) + "},")
    print(f"largest error {worst(made):.2g}")
