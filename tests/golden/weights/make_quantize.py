"""Writes quantize.json and packed.json: small matrices, number formats, and the codes, scales and zero
points that the formulas of engine/weights/quantize.h give, computed with numpy in fp32.

Where the compressed-tensors package is installed, the min-max cases are checked against it as well.
Usage: python make_quantize.py   (numpy; deterministic)
"""
import json
import os

import numpy as np

F = np.float32
FLOAT8 = -8  # in place of a number of bits


def scale_and_zero(low, high, bits, symmetric):
    steps = F(896) if bits == FLOAT8 else F(2**bits - 1)
    bit_min = F(-(2.0 ** (bits - 1)))
    if symmetric:
        scale = F(max(-low, high) / (steps / F(2)))
        return (scale, F(0)) if scale > 0 else (F(1), F(0))
    low, high = min(low, F(0)), max(high, F(0))
    scale = F((np.float64(high) - np.float64(low)) / np.float64(steps))
    if not scale > 0:
        return F(1), F(0)
    zero = np.rint(np.clip(bit_min - low / scale, bit_min, bit_min + steps))
    return scale, F(zero)


def float8_table():
    """The numbers of E4M3 (OCP FP8) by their bits, from 0 up to 448."""
    return np.array([m / 512 if e == 0 else (1 + m / 8) * 2.0 ** (e - 7)
                     for e in range(16) for m in range(8)][:127])


def to_float8(values):
    """Bits of the nearest E4M3 number, ties to even, 448 at most; what becomes 0 has no sign."""
    table = float8_table()
    size = np.minimum(np.abs(values.astype(np.float64)), table[-1])
    above = np.minimum(np.searchsorted(table, size), 126)
    below = np.maximum(above - 1, 0)
    up, down = table[above] - size, size - table[below]
    bits = np.where((up < down) | ((up == down) & (above % 2 == 0)), above, below)
    return np.where((values < 0) & (bits > 0), bits + 128, bits)


def float8_values(bits):
    return np.where(bits >= 128, -1.0, 1.0).astype(F) * float8_table()[bits % 128].astype(F)


def to_codes(values, scale, zero, bits):
    if bits == FLOAT8:
        return to_float8(F(values / scale))
    bit_min = -(2 ** (bits - 1))
    return np.rint(np.clip(values / scale + zero, F(bit_min), F(bit_min + 2**bits - 1)))


def squared_error(values, scale, zero, bits):
    codes = to_codes(values, scale, zero, bits)
    back = scale * float8_values(codes) if bits == FLOAT8 else scale * (codes - zero)
    return float(np.sum((values.astype(np.float64) - back.astype(np.float64)) ** 2))


def qparams(values, bits, symmetric, method):
    low, high = F(values.min()), F(values.max())
    if method == "percentile":
        magnitudes = np.sort(np.abs(values).ravel())
        limit = magnitudes[max(int(np.ceil(0.999 * magnitudes.size)), 1) - 1]
        low, high = max(low, F(-limit)), min(high, F(limit))
    if method != "mse":
        return scale_and_zero(low, high, bits, symmetric)
    best = None
    for shrink in range(80):
        factor = F(1) - F(shrink) / F(100)
        scale, zero = scale_and_zero(F(low * factor), F(high * factor), bits, symmetric)
        error = squared_error(values, scale, zero, bits)
        if best is None or error < best[0]:
            best = (error, scale, zero)
    return best[1], best[2]


def quantize(matrix, bits, granularity, group, symmetric, method):
    rows, cols = matrix.shape
    length = group if granularity == "group" else cols
    codes = np.zeros((rows, cols), dtype=np.int64)
    scales, zeros = [], []
    if granularity == "tensor":
        scale, zero = qparams(matrix, bits, symmetric, method)
        codes = to_codes(matrix, scale, zero, bits).astype(np.int64)
        scales, zeros = [float(scale)], [int(zero)]
    else:
        for row in range(rows):
            for begin in range(0, cols, length):
                part = matrix[row, begin : begin + length]
                scale, zero = qparams(part, bits, symmetric, method)
                codes[row, begin : begin + length] = to_codes(part, scale, zero, bits)
                scales.append(float(scale))
                zeros.append(int(zero))
    return codes.ravel().tolist(), scales, zeros


def check_against_package(matrix, bits, granularity, group, symmetric, codes, scales):
    if bits == FLOAT8:
        return False
    try:
        import torch
        from compressed_tensors.quantization import QuantizationArgs
        from compressed_tensors.quantization.lifecycle.forward import quantize as ct_quantize
        from compressed_tensors.quantization.utils import calculate_qparams
    except ImportError:
        return False
    rows, cols = matrix.shape
    if granularity == "group" and cols % group != 0:
        return False
    args = QuantizationArgs(num_bits=bits, type="int", symmetric=symmetric, strategy=granularity,
                            group_size=group if granularity == "group" else None)
    weight = torch.from_numpy(matrix)
    if granularity == "tensor":
        low, high = weight.min().reshape(1), weight.max().reshape(1)
    else:
        parts = weight.reshape(rows, -1, group if granularity == "group" else cols)
        low, high = parts.amin(-1), parts.amax(-1)
    scale, zero = calculate_qparams(low, high, args)
    theirs = ct_quantize(weight, scale, zero, args)
    ours = np.array(codes).reshape(rows, cols)
    # All-zero rows get scale 1 here and a tiny one there: the codes agree.
    assert np.array_equal(theirs.numpy().astype(np.int64), ours), (bits, granularity, symmetric)
    used = np.array(scales, dtype=F).reshape(scale.shape)
    both = used != 1
    assert np.allclose(scale.numpy()[both], used[both], rtol=2e-7), (bits, granularity, symmetric)
    return True


def matrices():
    generator = np.random.default_rng(7)
    # Multiples of 2^-10: exact in JSON and fp32.
    wide = np.rint(generator.normal(0, 1, (5, 24)) * 1024).astype(F) / F(1024)
    wide[0, 3] = F(9.5)
    wide[3] = F(0)
    odd = np.rint(generator.normal(0.5, 0.3, (3, 7)) * 1024).astype(F) / F(1024)
    positive = np.abs(wide[1:3]) + F(0.25)
    return {"wide": wide, "odd": odd, "positive": positive}


def cases(widths, checked):
    out = []
    for name, matrix in matrices().items():
        for bits, symmetries in widths:
            for granularity, group in (("tensor", 0), ("channel", 0), ("group", 8), ("group", 5)):
                for symmetric in symmetries:
                    for method in ("minmax", "percentile", "mse"):
                        codes, scales, zeros = quantize(matrix, bits, granularity, group, symmetric, method)
                        if method == "minmax":
                            checked.append(check_against_package(matrix, bits, granularity, group, symmetric,
                                                                 codes, scales))
                        out.append({"matrix": name, "bits": bits, "granularity": granularity,
                                    "group": group, "symmetric": symmetric, "range": method,
                                    "codes": codes, "scales": scales, "zeros": [] if symmetric else zeros})
    return out


def main():
    checked = []
    both = (True, False)
    write("quantize.json", cases(((8, both), (4, both)), checked))
    write("packed.json", cases(((3, both), (2, both), (16, (True,)), (FLOAT8, (True,))), checked))
    print(f"{sum(checked)} checked against compressed-tensors")


def write(name, items):
    out = {"matrices": {key: {"rows": m.shape[0], "cols": m.shape[1], "values": [float(v) for v in m.ravel()]}
                        for key, m in matrices().items()},
           "cases": items}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(out, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
