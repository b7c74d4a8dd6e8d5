"""Writes fisher.json: small weights, gradients of samples, and what Optimal Brain Surgeon makes of them with the
Fisher information in blocks (oBERT, Kurtic et al. 2022), by explicit inverses in fp64.

The values that fall move the others by -F⁻¹·E·(Eᵀ·F⁻¹·E)⁻¹·w_Q, the paper's formula; the program solves the
equations of the values that stay instead.

Usage: make_fisher.py   (numpy; deterministic)
"""
import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
DAMPING = 0.01


def integers(values):
    return [int(v) for v in np.asarray(values).ravel()]


def numbers(values):
    return [float(f"{v:.7g}") for v in np.asarray(values, dtype=np.float64).ravel()]


def lowest(scores, count):
    return np.argsort(scores, kind="stable")[:count]


def chosen(scores, case):
    """1 where a value falls."""
    rows, cols = scores.shape
    fallen = np.zeros((rows, cols), bool)
    if case.get("group"):
        for row in range(rows):
            for begin in range(0, cols, case["group"]):
                part = scores[row, begin:begin + case["group"]]
                fallen[row, begin + lowest(part, max(0, len(part) - case["keep"]))] = True
    elif case.get("tile"):
        down, right = case["tile"]
        tiles = [(slice(r, r + down), slice(c, c + right)) for r in range(0, rows, down) for c in range(0, cols, right)]
        for at in lowest(np.array([scores[tile].sum() for tile in tiles]), int(case["ratio"] * len(tiles))):
            fallen[tiles[at]] = True
    else:
        fallen.ravel()[lowest(scores.ravel(), int(case["ratio"] * scores.size))] = True
    return fallen


def prune(weight, gradients, width, case):
    rows, cols = weight.shape
    mean = (gradients**2).mean()
    scores = np.zeros((rows, cols))
    inverses = {}
    for row in range(rows):
        for begin in range(0, cols, width):
            part = gradients[:, row, begin:begin + width]
            fisher = part.T @ part / len(part) + DAMPING * mean * np.eye(part.shape[1])
            inverse = np.linalg.inv(fisher)
            inverses[row, begin] = inverse
            scores[row, begin:begin + width] = weight[row, begin:begin + width] ** 2 / (2 * np.diag(inverse))
    fallen = chosen(scores, case)
    out = weight.copy()
    for (row, begin), inverse in inverses.items():
        places = np.flatnonzero(fallen[row, begin:begin + width])
        if len(places) == 0:
            continue
        part = weight[row, begin:begin + width]
        pull = np.linalg.solve(inverse[np.ix_(places, places)], part[places])
        out[row, begin:begin + width] = part - inverse[:, places] @ pull
        out[row, begin + places] = 0.0
    return out


def main():
    cases = []
    for seed, (rows, cols, samples, width) in enumerate([(6, 16, 40, 8), (5, 21, 12, 8), (4, 12, 60, 12)]):
        random = np.random.default_rng(seed)
        weight = np.rint(random.normal(0, 1, (rows, cols)) * 1024) / 1024
        mixing = random.normal(0, 1, (cols, cols)) / np.sqrt(cols)
        gradients = random.normal(0, 1, (samples, rows, cols)) @ mixing * np.exp(random.normal(0, 0.7, cols))
        gradients = np.rint(gradients * 64) / 64
        layer = {"rows": rows, "cols": cols, "samples": samples, "width": width,
                 "weight1024": integers(weight * 1024), "gradients64": integers(gradients * 64)}
        for case in ({"ratio": 0.5}, {"ratio": 0.8}, {"keep": 2, "group": 4}, {"ratio": 0.5, "tile": [1, 4]},
                     {"ratio": 0.5, "tile": [2, 3]}):
            cases.append({"layer": seed, **case, "values": numbers(prune(weight, gradients, width, case))})
        yield layer, cases
        cases = []


if __name__ == "__main__":
    layers, everything = [], []
    for one, its_cases in main():
        layers.append(one)
        everything += its_cases
    with open(HERE / "fisher.json", "w", encoding="utf-8") as file:
        json.dump({"damping": DAMPING, "layers": layers, "cases": everything}, file, separators=(",", ":"))
        file.write("\n")
    print(f"fisher.json {len(everything)} cases")
