"""Writes signround.json: SignRound's codes and scales of small linears, with numpy. Gradients by the ranges'
factors are differences of the rounded weight with the errors of its roundings held, not their closed forms.

Usage: make_signround.py   (numpy; deterministic)
"""
import numpy as np

from make_methods import F, Grids, Layer, form, integers, write

NEAR = 2e-5  # codes so near a tie or an end that fp32 may fall the other way


class Doubtful(Exception):
    """fp32 and fp64 may rightly differ."""


class Range:
    """Weights that share a scale: a part of a row, or all."""

    def __init__(self, part, scale, zero, one):
        self.part, self.one = part, one
        self.start = self.scale, self.zero = scale, zero
        self.steps = 2 ** one["bits"] - 1
        self.lowest, self.highest = -(2 ** (one["bits"] - 1)), 2 ** (one["bits"] - 1) - 1
        self.factors = np.ones(2, F)  # of the upper and of the lower end

    def grid(self, factors):
        """Scale and zero point of the shrunk range in fp64, the latter not rounded."""
        scale, zero = np.float64(self.start[0]), self.start[1]
        if self.one["symmetric"]:
            return scale * factors[0], 0.0
        low, high = scale * (self.lowest - zero) * factors[1], scale * (self.highest - zero) * factors[0]
        return (high - low) / self.steps, self.lowest - low / ((high - low) / self.steps)

    def set_factors(self, factors):
        self.factors = factors
        self.scale, self.zero = self.start
        if (factors < 1).any():
            scale, zero = self.grid(factors.astype(np.float64))
            if abs(abs(zero % 1) - 0.5) < NEAR:
                raise Doubtful
            self.scale, self.zero = F(scale), F(np.rint(zero))

    def exact(self, weight, offsets):
        exact = weight / np.float64(self.scale) + self.zero + offsets
        inside = (exact > self.lowest) & (exact < self.highest)
        if ((inside & (np.abs(np.abs(exact % 1) - 0.5) < NEAR)).any() or
                (np.abs(exact - self.lowest) < NEAR).any() or (np.abs(exact - self.highest) < NEAR).any()):
            raise Doubtful
        return exact

    def slopes(self, weight, offsets):
        """dŵ by each factor."""
        exact = self.exact(weight, offsets)
        rounded = np.rint(np.clip(exact, self.lowest, self.highest)) - exact
        zero_rounded = self.zero - self.grid(self.factors.astype(np.float64))[1]

        def held(factors):
            scale, zero = self.grid(factors)
            zero += zero_rounded
            inside = weight / scale + zero + offsets + rounded
            code = np.select([exact < self.lowest, exact > self.highest], [self.lowest, self.highest], inside)
            return scale * (code - zero)

        out = []
        for which in range(1 if self.one["symmetric"] else 2):
            move = np.zeros(2)
            move[which] = 1e-6
            out.append((held(self.factors + move) - held(self.factors - move)) / 2e-6)
        return out


def ranges_of(weight, one):
    grids = Grids(one, *weight.shape)
    for group in range(grids.groups):
        grids.find(weight, group)
    if one["granularity"] == "tensor":
        return [Range((slice(None), slice(None)), grids.scales[0, 0], grids.zeros[0, 0], one)]
    return [Range((slice(row, row + 1), slice(group * grids.length, (group + 1) * grids.length)),
                  grids.scales[row, group], grids.zeros[row, group], one)
            for row in range(len(weight)) for group in range(grids.groups)]


def sign(values, scale):
    """Of values that are sums of parts as large as `scale`."""
    if ((np.abs(values) < 1e-5 * scale) & (values != 0)).any():
        raise Doubtful
    return np.sign(values).astype(F)


def signround(layer, one, steps):
    weight, hessian = layer.weight, layer.hessian
    ranges = ranges_of(weight, one)
    together = one["granularity"] == "tensor"
    each = len(ranges) if together else len(ranges) // len(weight)
    offsets = np.zeros(weight.shape, F)
    codes, held = np.zeros(weight.shape), np.zeros(weight.shape)
    length = F(1) / F(steps)
    for step in range(steps + 1):
        for own in ranges:
            exact = own.exact(weight[own.part], offsets[own.part])
            codes[own.part] = np.rint(np.clip(exact, own.lowest, own.highest))
            held[own.part] = np.float64(own.scale) * (codes[own.part] - own.zero)
        error = held - weight
        pull = error @ hessian
        losses = (error * pull).sum(axis=1)
        losses = np.full_like(losses, losses.sum()) if together else losses
        if step == 0:
            best, nearest = losses.copy(), losses.copy()
            best_codes, best_grids = codes.copy(), [(own.scale, own.zero) for own in ranges]
        if (np.abs(losses - best) < 1e-5 * best)[losses != best].any():
            raise Doubtful
        for row in np.flatnonzero(losses < best):
            best[row], best_codes[row] = losses[row], codes[row]
            for at in range(each) if together else range(row * each, (row + 1) * each):
                best_grids[at] = ranges[at].scale, ranges[at].zero
        if step == steps:
            break
        move = length * (F(1) - F(step) * length)
        sizes = np.abs(error) @ np.abs(hessian)
        for own in ranges:
            part, pulls = weight[own.part], pull[own.part]
            factors = own.factors.copy()
            for which, slope in enumerate(own.slopes(part, offsets[own.part])):
                gradient = sign((pulls * slope).sum(), np.abs(pulls * slope).sum() * 10)
                factors[which] = np.clip(factors[which] - move * gradient, F(0.5), F(1))
            exact = own.exact(part, offsets[own.part])
            moves = (exact > own.lowest) & (exact < own.highest) & (part != 0)
            moved = np.clip(offsets[own.part] - move * sign(pulls, sizes[own.part]), F(-0.5), F(0.5))
            offsets[own.part] = np.where(moves, moved, offsets[own.part])
            own.set_factors(factors)
    return {"steps": steps, "codes": integers(best_codes),
            "scales": [float(scale) for scale, _ in best_grids],
            "zeros": integers([zero for _, zero in best_grids]),
            "loss": float(best[0] if together else best.sum()),
            "nearest": float(nearest[0] if together else nearest.sum())}


def main():
    layers = {"wide": Layer(6, 32, 96, 1), "odd": Layer(5, 23, 80, 2),
              "dead": Layer(4, 24, 60, 3, dead=(2, 11)), "small": Layer(2, 10, 40, 8)}
    # Both signs in every group: a range that begins at zero ends exactly at its largest value.
    for name, layer in (("centred", Layer(3, 16, 60, 9)), ("short", Layer(3, 10, 60, 12))):
        layer.weight = np.rint((layer.weight - 0.8) * 1024) / 1024
        layer.weight[:, ::5] = -np.abs(layer.weight[:, ::5])
        layer.weight[:, 1::5] = np.abs(layer.weight[:, 1::5])
        layers[name] = layer
    cases, doubtful = [], 0
    for name, layer in layers.items():
        for symmetric in (True, False):
            for granularity, group in (("tensor", 0), ("channel", 0), ("group", 8), ("group", 5)):
                for method in ("minmax", "mse"):
                    for steps in (1, 3, 7, 15):
                        one = form(4, granularity, group, symmetric, method)
                        try:
                            cases.append({"layer": name, "form": one, **signround(layer, one, steps)})
                        except Doubtful:
                            doubtful += 1
    print(doubtful, "left out as doubtful")
    write("signround.json", layers, cases)


if __name__ == "__main__":
    main()
