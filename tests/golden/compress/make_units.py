"""Writes units.json: which heads or neurons FLAP and ZipLM keep of small linears and what the kept inputs do
about it, and how sparsity is shared among layers (OWL, one threshold of magnitude), with numpy in fp64.

ZipLM runs here by its definition: the loss of a set of removed columns is that of least squares on the kept
ones, each time from the samples' products anew, and a step takes the unit that adds least.

Usage: make_units.py   (numpy; deterministic)
"""
import numpy as np

from make_methods import DAMPING, Layer, damped, integers, lowest, numbers, write


def columns(units, width):
    return [unit * width + at for unit in units for at in range(width)]


def fluctuation(layer, width):
    squares = layer.inputs.var(axis=0) * (layer.weight**2).sum(axis=0)
    return {"importance": numbers(squares.reshape(-1, width).sum(axis=1))}


def least_squares(weight, hessian, kept):
    """The best weight of the kept columns, and tr(E·H·Eᵀ)."""
    removed = [col for col in range(weight.shape[1]) if col not in set(kept)]
    now = weight[:, kept] + weight[:, removed] @ np.linalg.solve(hessian[np.ix_(kept, kept)],
                                                                 hessian[np.ix_(kept, removed)]).T
    error = -weight.copy()
    error[:, kept] += now
    return now, np.trace(error @ hessian @ error.T)


def second_order(layer, width, remove):
    hessian, dead = damped(layer.hessian)
    weight = layer.weight.copy()
    weight[:, dead] = 0
    kept = list(range(weight.shape[1] // width))
    order, losses, before = [], [], 0.0
    for _ in range(remove):
        found = [least_squares(weight, hessian, columns([u for u in kept if u != unit], width))[1]
                 for unit in kept]
        found = np.round(found, 12)  # equal ones are equal
        best = int(np.argmin(found))
        second = np.partition(found, 1)[1]
        assert second - found[best] > 1e-4 * (second - before) or second == found[best], "too near a tie"
        order.append(kept.pop(best))
        losses.append(found[best] - before)
        before = found[best]
    return {"removed": order, "losses": numbers(losses), "kept": kept,
            "values": numbers(least_squares(layer.weight, hessian, columns(kept, width))[0])}


def compensation(layer, kept):
    hessian, _ = damped(layer.hessian)
    removed = [col for col in range(layer.weight.shape[1]) if col not in kept]
    return {"kept": kept, "values": numbers(least_squares(layer.weight, hessian, kept)[0]),
            "bias": numbers(layer.weight[:, removed] @ layer.inputs[:, removed].mean(axis=0))}


def unit_cases(layers):
    cases = []
    for name, layer in layers.items():
        cols = layer.weight.shape[1]
        for width in (1, 2, 4, 8):
            if cols % width:
                continue
            units = cols // width
            cases.append({"method": "fluctuation", "layer": name, "width": width,
                          **fluctuation(layer, width)})
            for remove in {1, units // 2, units - 1}:
                cases.append({"method": "second", "layer": name, "width": width, "remove": remove,
                              **second_order(layer, width, remove)})
        for kept in ([0], list(range(1, cols, 2)), list(range(cols - 1))):
            cases.append({"method": "compensation", "layer": name, **compensation(layer, kept)})
    return cases


def owl(shares, sizes, ratio, reach):
    """The authors' ratios, shifted until the mean holds: between two neighbours of all shifts at which a
    layer meets or leaves its limits the mean is linear."""
    shares, sizes = np.array(shares), np.array(sizes, float)
    span = shares.max() - shares.min()
    spread = (shares - shares.min()) / span * 2 * reach if span > 0 else shares * 0
    low, high = max(0.0, ratio - reach), min(0.99, ratio + reach)
    if ratio >= 0.99:
        return {"ratios": [0.99] * len(sizes)}

    def mean(shift):
        return (np.clip(shift - spread, low, high) * sizes).sum() / sizes.sum()

    corners = np.sort(np.concatenate([spread + low, spread + high]))
    at = int(np.searchsorted([mean(c) for c in corners], ratio))
    if at == 0:
        shift = corners[0]
    else:
        left, right = corners[at - 1], corners[at]
        part = (ratio - mean(left)) / (mean(right) - mean(left))
        shift = left + part * (right - left)
    return {"ratios": numbers(np.clip(shift - spread, low, high))}


def outliers(layer, threshold):
    scores = np.abs(layer.weight) * np.sqrt((layer.inputs**2).mean(axis=0))
    return {"share": float((scores > threshold * scores.mean()).mean())}


def together(layers, names, ratio):
    """How many of each weight are among the floor(ratio · n) smallest of all."""
    values = np.concatenate([np.abs(layers[name].weight).ravel() for name in names])
    owners = np.concatenate([np.full(layers[name].weight.size, at) for at, name in enumerate(names)])
    return {"removed": integers(np.bincount(owners[lowest(values, int(ratio * len(values)))],
                                            minlength=len(names)))}


def allocation_cases(layers):
    cases = []
    random = np.random.default_rng(6)
    for count in (1, 2, 7, 24):
        shares = [float(f"{v:.6f}") for v in random.gamma(1.5, 0.01, count)]
        for sizes in ([64] * count, integers(random.integers(1, 2000, count))):
            for ratio in (0.0, 0.03, 0.5, 0.7, 0.95, 0.99, 1.0):
                cases.append({"method": "owl", "shares": shares, "sizes": sizes, "ratio": ratio,
                              "reach": 0.08, **owl(shares, sizes, ratio, 0.08)})
    cases.append({"method": "owl", "shares": [0.2, 0.2], "sizes": [3, 5], "ratio": 0.4, "reach": 0.08,
                  **owl([0.2, 0.2], [3, 5], 0.4, 0.08)})
    for name, layer in layers.items():
        for threshold in (1.5, 3, 5):
            cases.append({"method": "outliers", "layer": name, "threshold": threshold,
                          **outliers(layer, threshold)})
    for names in (["odd"], ["wide", "odd", "dead"], ["dead", "dead", "wide"]):
        for ratio in (0.0, 0.1, 0.37, 0.5, 0.9, 1.0):
            cases.append({"method": "global", "layers": names, "ratio": ratio,
                          **together(layers, names, ratio)})
    return cases


def main():
    layers = {"wide": Layer(6, 32, 96, 1), "odd": Layer(5, 23, 80, 2),
              "dead": Layer(4, 24, 60, 3, dead=(2, 11)), "tall": Layer(40, 16, 64, 7)}
    write("units.json", layers, unit_cases(layers) + allocation_cases(layers))


if __name__ == "__main__":
    main()
