"""Perplexities of windows, [sum of nats, tokens] each, and their ratio with a paired interval."""

import collections
import math
import random

RESAMPLES = 5000
Ratio = collections.namedtuple("Ratio", "value low high")


def perplexity(windows):
    return math.exp(sum(window[0] for window in windows) / sum(window[1] for window in windows))


def paired_ratio(before, after):
    """perplexity(after) / perplexity(before) with its 95 % bootstrap interval over windows, both sides
    drawing the same (percentiles; deterministic)."""
    if len(before) != len(after):
        raise ValueError("the two sides have other windows")
    pairs = [(b[0] - a[0], a[1]) for a, b in zip(before, after)]

    def difference(some):
        return sum(pair[0] for pair in some) / sum(pair[1] for pair in some)

    draws = random.Random(0)
    drawn = sorted(difference(draws.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    low, high = drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES) - 1]
    return Ratio(*(math.exp(value) for value in (difference(pairs), low, high)))
