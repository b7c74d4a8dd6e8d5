"""Writes gptq.json, prune.json and scales.json: small weights and inputs of a linear, and what the published
compression methods make of them, computed with numpy in fp64.

GPTQ and SparseGPT run here as Optimal Brain Quantization does (Frantar & Alistarh 2022): one column at a
time, with an explicit inverse that loses a row and column each step; no Cholesky factor, no blocks. Only
SparseGPT's choice a block needs the factor's diagonal, which is the diagonal of those inverses.

Usage: make_methods.py   (numpy; deterministic)
"""
import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
F = np.float32
DAMPING = 0.01
BLOCK = 128


def integers(values):
    return [int(v) for v in np.asarray(values).ravel()]


def numbers(values):
    return [float(f"{v:.7g}") for v in np.asarray(values, dtype=np.float64).ravel()]


class Layer:
    """A weight in steps of 1/1024 and correlated inputs in steps of 1/16: exact in JSON and fp32."""

    def __init__(self, rows, cols, tokens, seed, dead=()):
        random = np.random.default_rng(seed)
        # Lifted, because a symmetric grid rounds the very end of the negative side at a tie.
        self.weight = np.rint(random.normal(0.8, 1, (rows, cols)) * 1024) / 1024
        mixing = random.normal(0, 1, (cols, cols)) / np.sqrt(cols)
        inputs = random.normal(0, 1, (tokens, cols)) @ mixing + random.normal(0, 1, (tokens, 1))
        inputs *= np.exp(random.normal(0, 0.7, cols))
        inputs = np.rint(inputs * 16)
        inputs[:, list(dead)] = 0
        self.inputs = inputs / 16
        self.hessian = (self.inputs.T @ self.inputs / len(self.inputs)).astype(F).astype(np.float64)

    def describe(self):
        return {"rows": self.weight.shape[0], "cols": self.weight.shape[1], "tokens": len(self.inputs),
                "weight1024": integers(self.weight * 1024), "inputs16": integers(self.inputs * 16)}


# Number grids, as engine/weights/quantize.h words them.

def scale_and_zero(low, high, bits, symmetric):
    steps = F(2**bits - 1)
    lowest = F(-(2 ** (bits - 1)))
    if symmetric:
        scale = F(max(-low, high) / (steps / F(2)))
        return (scale, F(0)) if scale > 0 else (F(1), F(0))
    low, high = min(low, F(0)), max(high, F(0))
    scale = F((np.float64(high) - np.float64(low)) / np.float64(steps))
    if not scale > 0:
        return F(1), F(0)
    return scale, F(np.rint(np.clip(lowest - low / scale, lowest, lowest + steps)))


def to_codes(values, scale, zero, bits):
    lowest = -(2 ** (bits - 1))
    return np.rint(np.clip(values / scale + zero, lowest, lowest + 2**bits - 1))


def grid(values, bits, symmetric, method):
    """Scale and zero point of values that share them."""
    values = values.astype(F)
    low, high = values.min(), values.max()
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
        back = scale * (to_codes(values, scale, zero, bits) - zero)
        error = float(np.sum((values.astype(np.float64) - back) ** 2))
        if best is None or error < best[0]:
            best = (error, scale, zero)
    return best[1], best[2]


class Grids:
    """One grid a tensor, row, or row and group; found from the weights when asked."""

    def __init__(self, form, rows, cols):
        self.form = form
        self.length = form["group"] if form["granularity"] == "group" else cols
        self.groups = -(-cols // self.length)
        self.scales = np.zeros((rows, self.groups), F)
        self.zeros = np.zeros((rows, self.groups), F)
        self.doubtful = 0  # roundings so near a tie that sums in fp32 may fall the other way

    def find(self, weight, group):
        form = self.form
        for row in range(len(weight)):
            begin = group * self.length
            part = weight if form["granularity"] == "tensor" else weight[row, begin:begin + self.length]
            self.scales[row, group], self.zeros[row, group] = grid(part, form["bits"], form["symmetric"],
                                                                   form["range"])

    def codes(self, values, col):
        group = col // self.length
        exact = values / self.scales[:, group].astype(np.float64) + self.zeros[:, group]
        lowest = -(2 ** (self.form["bits"] - 1))
        inside = (exact > lowest - 1) & (exact < lowest + 2 ** self.form["bits"] - 1)
        self.doubtful += int((inside & (np.abs(np.abs(exact % 1) - 0.5) < 3e-4) & (values != 0)).sum())
        return to_codes(values, self.scales[:, group].astype(np.float64), self.zeros[:, group],
                        self.form["bits"])

    def values(self, codes, col):
        group = col // self.length
        return self.scales[:, group].astype(np.float64) * (codes - self.zeros[:, group])

    def describe(self):
        if self.doubtful:
            return None
        if self.form["granularity"] == "tensor":
            return {"scales": [float(self.scales[0, 0])], "zeros": [int(self.zeros[0, 0])]}
        return {"scales": [float(v) for v in self.scales.ravel()], "zeros": integers(self.zeros)}


def damped(hessian):
    """Dead inputs get the mean of the others, which decides nothing: their weights are zero."""
    diagonal = np.diag(hessian).copy()
    dead = diagonal <= 0
    mean = diagonal[~dead].mean()
    out = hessian.copy()
    np.fill_diagonal(out, np.where(dead, mean, diagonal) + DAMPING * mean)
    return out, dead


def downdate(inverse, i):
    """The inverse of H without row and column i, from the inverse of H."""
    return inverse - np.outer(inverse[:, i], inverse[i, :]) / inverse[i, i]


def gptq(layer, form, act_order=False, static_groups=False):
    hessian, dead = damped(layer.hessian)
    weight = layer.weight.copy()
    weight[:, dead] = 0
    rows, cols = weight.shape
    grids = Grids(form, rows, cols)
    live = form["granularity"] == "group" and not static_groups and not act_order
    if not live:
        for group in range(grids.groups):
            grids.find(weight, group)
    codes = np.zeros((rows, cols))
    inverse = np.linalg.inv(hessian)
    order = np.argsort(-np.diag(layer.hessian), kind="stable") if act_order else np.arange(cols)
    for i in order:
        if live and i % grids.length == 0:
            grids.find(weight, i // grids.length)
        codes[:, i] = grids.codes(weight[:, i], i)
        error = (weight[:, i] - grids.values(codes[:, i], i)) / inverse[i, i]
        later = inverse[i, :].copy()
        weight -= np.outer(error, later)
        inverse = downdate(inverse, i)
    return with_codes(codes, grids)


def with_codes(codes, grids):
    """None where fp32 and fp64 may rightly differ."""
    grids = grids.describe()
    return grids and {"codes": integers(codes), **grids}


def lowest(scores, count):
    """Places of the `count` lowest, of equal ones the earlier."""
    return np.argsort(scores.ravel(), kind="stable")[:count]


def tiles_of(rows, cols, down, right):
    """Row and column slices of each tile, row by row; what is left over at the edges is a tile as well."""
    return [(slice(row, row + down), slice(col, col + right))
            for row in range(0, rows, down) for col in range(0, cols, right)]


def lowest_tiles(scores, tiles, count):
    """1 where a value falls: the `count` tiles of least sums."""
    fallen = np.zeros(scores.shape, bool)
    for at in lowest(np.array([scores[tile].sum() for tile in tiles]), count):
        fallen[tiles[at]] = True
    return fallen


def sparsegpt(layer, ratio=0.0, keep=0, group=0, tile=(1, 1), form=None):
    hessian, dead = damped(layer.hessian)
    weight = layer.weight.copy()
    weight[:, dead] = 0
    rows, cols = weight.shape
    grids = None
    if form:
        grids = Grids(form, rows, cols)
        grids.find(weight, 0)
    pivots = np.zeros(cols)  # U_jj² of the paper
    inverse = np.linalg.inv(hessian)
    for i in range(cols):
        pivots[i] = inverse[i, i]
        inverse = downdate(inverse, i)
    inverse = np.linalg.inv(hessian)
    mask = np.zeros((rows, cols), bool)
    out = np.zeros((rows, cols))
    codes = np.zeros((rows, cols))
    for i in range(cols):
        size = BLOCK // tile[1] * tile[1]
        if tile != (1, 1) and i % size == 0:
            end = min(i + size, cols)
            before, after = (len(tiles_of(rows, col, *tile)) for col in (i, end))
            count = int(ratio * after) - int(ratio * before)
            mask[:, i:end] = lowest_tiles(weight[:, i:end] ** 2 / pivots[i:end],
                                          tiles_of(rows, end - i, *tile), count)
        elif group == 0 and tile == (1, 1) and i % BLOCK == 0:
            end = min(i + BLOCK, cols)
            count = int(ratio * (rows * end)) - int(ratio * (rows * i))
            chosen = np.zeros(rows * (end - i), bool)
            chosen[lowest(weight[:, i:end] ** 2 / pivots[i:end], count)] = True
            mask[:, i:end] = chosen.reshape(rows, end - i)
        if group != 0 and i % group == 0:
            end = min(i + group, cols)
            for row in range(rows):
                mask[row, i + lowest(weight[row, i:end] ** 2 / pivots[i:end], max(0, end - i - keep))] = True
        value = np.where(mask[:, i], 0, weight[:, i])
        if grids:
            codes[:, i] = grids.codes(value, i)
            value = grids.values(codes[:, i], i)
        out[:, i] = value
        error = (weight[:, i] - value) / inverse[i, i]
        weight -= np.outer(error, inverse[i, :].copy())
        inverse = downdate(inverse, i)
    if grids:
        return with_codes(codes, grids)
    return {"values": numbers(out)}


def in_rows(scores, ratio=0.0, keep=0, group=0):
    """1 where a value falls, compared within rows or within groups of inputs."""
    rows, cols = scores.shape
    fallen = np.zeros((rows, cols), int)
    for row in range(rows):
        if group == 0:
            fallen[row, lowest(scores[row], int(ratio * cols))] = 1
        for begin in range(0, cols if group else 0, group or 1):
            part = scores[row, begin:begin + group]
            fallen[row, begin + lowest(part, max(0, len(part) - keep))] = 1
    return integers(fallen)


def wanda(layer, tile=None, ratio=0.0, **pattern):
    norms = np.sqrt((layer.inputs**2).mean(axis=0))
    if tile:
        scores = (layer.weight * norms) ** 2
        cols = scores.shape[1]
        fallen = [lowest_tiles(band, tiles_of(*band.shape, *tile), int(ratio * -(-cols // tile[1])))
                  for band in np.split(scores, range(tile[0], len(scores), tile[0]))]
        return {"fallen": integers(np.concatenate(fallen))}
    pattern["ratio"] = ratio
    return {"fallen": in_rows(np.abs(layer.weight) * norms, **pattern)}


def magnitude(layer, keep=0, group=0, tile=None, ratio=0.0):
    if tile:
        tiles = tiles_of(*layer.weight.shape, *tile)
        return {"fallen": integers(lowest_tiles(np.abs(layer.weight), tiles, int(ratio * len(tiles))))}
    return {"fallen": in_rows(np.abs(layer.weight), keep=keep, group=group)}


def form(bits, granularity, group=0, symmetric=True, method="minmax"):
    return {"bits": bits, "granularity": granularity, "group": group, "symmetric": symmetric,
            "range": method}


def rounded(weight, one):
    """To the nearest code of each grid, and back; in fp32, where ends of ranges are ties."""
    weight = weight.astype(F)
    grids = Grids(one, *weight.shape)
    out = np.zeros(weight.shape)
    for group in range(grids.groups):
        grids.find(weight, group)
    for col in range(weight.shape[1]):
        group = col // grids.length
        codes = to_codes(weight[:, col], grids.scales[:, group], grids.zeros[:, group], one["bits"])
        out[:, col] = grids.values(codes, col)
    return out


def output_error(layer, weight, now):
    """From the samples, not from their products."""
    return ((layer.inputs @ (now - weight).T) ** 2).sum(axis=1).mean()


def halves(layer):
    """Two linears that share an input."""
    middle = len(layer.weight) // 2
    return layer.weight[:middle], layer.weight[middle:]


def awq_scales(layer, one):
    magnitudes = np.abs(layer.inputs).mean(axis=0)
    magnitudes = np.maximum(magnitudes, magnitudes[magnitudes > 0].min())
    errors = []
    candidates = []
    for step in range(20):
        scales = np.maximum(magnitudes ** (step / 20), 1e-4)
        scales = (scales / np.sqrt(scales.max() * scales.min())).astype(F).astype(np.float64)
        candidates.append(scales)
        errors.append(sum(output_error(layer, part, rounded(part * scales, one) / scales)
                          for part in halves(layer)))
    best = int(np.argmin(errors))
    return {"ratio": best / 20, "scales": numbers(candidates[best]), "error": errors[best],
            "plainError": errors[0]}


def awq_clip(layer, one):
    out = layer.weight.copy()
    rows, cols = out.shape
    length = one["group"] if one["granularity"] == "group" else cols
    for row in range(rows):
        for begin in range(0, cols, length):
            part = layer.weight[row:row + 1, begin:begin + length]
            inputs = layer.inputs[:, begin:begin + length]
            best = None
            for step in range(10):
                limit = np.float64(F(np.abs(part).max()) * (F(1) - F(step) / F(20)))
                clipped = np.clip(part, -limit, limit)
                whole = dict(one, granularity="channel", group=0)
                error = ((inputs @ (rounded(clipped, whole) - part).T) ** 2).mean()
                if best is None or error < best[0]:
                    best = (error, clipped)
            out[row, begin:begin + length] = best[1]
    return {"values": numbers(out)}


def smooth(layer, one, activation_group, static):
    inputs = np.abs(layer.inputs).max(axis=0)
    weights = np.abs(layer.weight).max(axis=0)
    live = (inputs > 0) & (weights > 0)
    cols = len(inputs)
    length = activation_group or cols
    errors = []
    candidates = []
    for step in range(-1, 21):
        scales = np.ones(cols)
        if step >= 0:
            scales[live] = inputs[live] ** (step / 20) / weights[live] ** (1 - step / 20)
            scales[~live] = np.exp(np.log(scales[live]).mean())
        scales = scales.astype(F)
        candidates.append(scales.astype(np.float64))
        smoothed = layer.inputs.astype(F) / scales
        for begin in range(0, cols, length):
            columns = slice(begin, begin + length)
            largest = np.abs(smoothed).max() if static else np.abs(smoothed[:, columns]).max(axis=1, keepdims=True)
            width = largest / F(127.5)
            width = np.where(width > 0, width, F(1))
            smoothed[:, columns] = np.clip(np.rint(smoothed[:, columns] / width), -128, 127) * width
        error = 0.0
        for part in halves(layer):
            wanted = layer.inputs @ part.T
            found = smoothed.astype(np.float64) @ rounded(part * scales, one).T
            energy = (wanted**2).sum(axis=1)
            energy = np.maximum(energy, np.sort(energy)[len(energy) // 2])
            error += (((found - wanted) ** 2).sum(axis=1)[energy > 0] / energy[energy > 0]).sum() / len(energy)
        errors.append(error)
    best = int(np.argmin(errors))
    return {"alpha": None if best == 0 else (best - 1) / 20, "scales": numbers(candidates[best]),
            "error": errors[best], "plainError": errors[0]}


def lasso(weight, hessian, penalty, start):
    """Coordinate descent, row by row, until nothing moves."""
    out = start.copy()
    for _ in range(20000):
        most = 0.0
        for col in range(weight.shape[1]):
            pull = (weight - out) @ hessian[:, col] + out[:, col] * hessian[col, col]
            now = np.sign(pull) * np.maximum(np.abs(pull) - penalty, 0) / hessian[col, col]
            most = max(most, np.abs(now - out[:, col]).max())
            out[:, col] = now
        if most < 1e-12:
            return out
    raise RuntimeError("coordinate descent does not settle")


def l1(layer, ratio=0.0, keep=0, group=0, tile=(1, 1)):
    hessian, dead = damped(layer.hessian)
    weight = layer.weight.copy()
    weight[:, dead] = 0
    rows, cols = weight.shape
    removed = int(ratio * weight.size)
    if group:
        removed = rows * sum(max(0, min(group, cols - begin) - keep) for begin in range(0, cols, group))
    tiles = tiles_of(rows, cols, *tile)
    if tile != (1, 1):
        removed = int(weight.size * int(ratio * len(tiles)) / len(tiles))
    high = np.log(np.abs(weight @ hessian).max())
    low = high + np.log(1e-5)
    taken = np.exp(low)
    solution = weight
    for _ in range(10):
        middle = (low + high) / 2
        solution = lasso(weight, hessian, np.exp(middle), solution)
        if (solution == 0).sum() <= removed:
            low, taken = middle, np.exp(middle)
        else:
            high = middle
    found = None
    for factor in (1, 1 / 4, 1 / 16, 1 / 64, 0):
        solution = lasso(weight, hessian, taken * factor, weight)
        scores = np.abs(solution) * np.sqrt(np.diag(hessian))
        quiet = np.abs(weight) * np.sqrt(np.diag(hessian))
        zero = solution == 0
        if zero.any() and quiet[zero].max() > 0:
            scores[zero] = quiet[zero] * 0.5 * scores[~zero].min() / quiet[zero].max() / np.prod(tile)
        if group:
            fallen = np.array(in_rows(scores, keep=keep, group=group), bool).reshape(rows, cols)
        elif tile != (1, 1):
            fallen = lowest_tiles(scores, tiles, int(ratio * len(tiles)))
        else:
            fallen = np.zeros(weight.size, bool)
            fallen[lowest(scores, removed)] = True
            fallen = fallen.reshape(rows, cols)
        out = np.zeros_like(weight)
        for row in range(rows):  # least squares of what stays, exactly
            stays = ~fallen[row]
            out[row, stays] = np.linalg.solve(hessian[np.ix_(stays, stays)], hessian[stays] @ weight[row])
        error = np.trace((out - weight) @ hessian @ (out - weight).T)
        if found is None or error < found[0] * (1 - 1e-4):
            found = (error, taken * factor, out)
    return {"lambda": float(found[1]), "values": numbers(found[2])}


def scale_cases(layers):
    cases = []
    for name, layer in layers.items():
        for one in (form(4, "group", 8, symmetric=False), form(4, "group", 8), form(4, "channel"),
                    form(4, "channel", method="mse"), form(8, "tensor")):
            cases.append({"method": "awqScales", "layer": name, "form": one, **awq_scales(layer, one)})
            if one["granularity"] != "tensor":
                cases.append({"method": "awqClip", "layer": name, "form": one, **awq_clip(layer, one)})
        for one in (form(8, "channel"), form(8, "tensor")):
            for activation_group, static in ((0, False), (8, False), (0, True)):
                cases.append({"method": "smooth", "layer": name, "form": one,
                              "activationGroup": activation_group, "static": static,
                              **smooth(layer, one, activation_group, static)})
    return cases


def gptq_cases(layers):
    cases = []
    for name, layer in layers.items():
        for bits, symmetric, method in ((4, True, "minmax"), (4, False, "minmax"), (8, True, "percentile"),
                                        (4, True, "mse"), (4, False, "mse")):
            for granularity, group in (("tensor", 0), ("channel", 0), ("group", 8), ("group", 5)):
                for act_order, static_groups in ((False, False), (True, True), (False, True)):
                    if static_groups and granularity != "group" and not act_order:
                        continue
                    one = form(bits, granularity, group, symmetric, method)
                    found = gptq(layer, one, act_order, static_groups)
                    if found:
                        cases.append({"layer": name, "form": one, "actOrder": act_order,
                                      "staticGroups": static_groups, **found})
    return cases


def prune_cases(layers):
    patterns = [{"ratio": 0.5}, {"ratio": 0.37}, {"keep": 2, "group": 4}, {"keep": 1, "group": 4},
                {"keep": 4, "group": 8}]
    patterns += [{"ratio": ratio, "tile": tile}
                 for ratio, tile in ((0.5, (1, 4)), (0.5, (4, 1)), (0.4, (1, 16)), (0.37, (2, 3)))]
    cases = []
    for name, layer in layers.items():
        for pattern in patterns:
            cases.append({"method": "wanda", "layer": name, "pattern": pattern, **wanda(layer, **pattern)})
            cases.append({"method": "sparsegpt", "layer": name, "pattern": pattern,
                          **sparsegpt(layer, **pattern)})
            for one in (form(4, "channel"), form(4, "channel", symmetric=False), form(8, "tensor")):
                found = sparsegpt(layer, form=one, **pattern)
                if found:
                    cases.append({"method": "sparsegpt", "layer": name, "pattern": pattern, "form": one,
                                  **found})
            if name != "blocks":
                cases.append({"method": "l1", "layer": name, "pattern": pattern, **l1(layer, **pattern)})
            if "group" in pattern or "tile" in pattern:
                cases.append({"method": "magnitude", "layer": name, "pattern": pattern,
                              **magnitude(layer, **pattern)})
    return cases


def write(name, layers, cases):
    value = {"layers": {key: layer.describe() for key, layer in layers.items()}, "cases": cases}
    (HERE / name).write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")
    print(name, len(cases), "cases")


def main():
    small = {"wide": Layer(6, 32, 96, 1), "odd": Layer(5, 23, 80, 2),
             "dead": Layer(4, 24, 60, 3, dead=(2, 11))}
    write("gptq.json", small, gptq_cases(small))
    write("scales.json", small, scale_cases(small))
    layers = {**small, "short": Layer(4, 24, 12, 4), "blocks": Layer(3, 150, 300, 5)}
    write("prune.json", layers, prune_cases(layers))


if __name__ == "__main__":
    main()
