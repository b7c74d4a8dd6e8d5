"""The recipes of compression_table.py: what is measured, a row each, and on which models.

Weights are rounded inside the blocks only, as the published tables have it; embeddings, the head tied to them
and the classifier's own layers keep their numbers, except in the rows that say "full".
"""

import copy

KINDS = ("decoder", "classifier", "embedder")
OUTSIDE_BLOCKS = {"decoder": ["embeddings\\..*"], "classifier": ["embeddings\\..*", "dense\\..*"],
                  "embedder": ["embeddings\\..*"]}
PRUNERS = ("magnitude", "wanda", "sparsegpt", "l1-reconstruction")
ROUNDERS = {
    "rtn": {"method": "rtn"},
    "gptq": {"method": "gptq"},
    "gptq+act_order": {"method": "gptq", "options": {"act_order": True}},
    "awq": {"method": "rtn", "scaling": "awq", "options": {"clip": True}},
    "awq+gptq": {"method": "gptq", "scaling": "awq"},
    "signround": {"method": "signround"},
}


class Row:
    """A name and the recipes applied one after the other; the last one is the one that is measured."""

    def __init__(self, name, *steps, full=False, only=KINDS):
        self.name, self.steps, self.full, self.only = name, steps, full, only

    def recipes(self, kind, calibration):
        """The steps as recipes for a kind of model."""
        out = []
        for defaults in self.steps:
            recipe = {"version": 1, "defaults": copy.deepcopy(defaults), "calibration": calibration}
            if not self.full:
                recipe["layers"] = [{"match": name, "skip": True} for name in OUTSIDE_BLOCKS[kind]]
            if kind != "decoder":
                recipe["defaults"].get("quantize", {}).pop("kv_cache", None)  # encoders have none
            out.append(recipe)
        return out


def half(method):
    return {"pattern": "unstructured", "ratio": 0.5, "method": method}


def two_of_four(method):
    return {"pattern": "2:4", "method": method}


def grouped(bits, **how):
    return {"weights": f"int{bits}", "group": 64, "symmetric": False, "range": "minmax", **how}


def w8a8(**how):
    return {"weights": "int8", "group": "channel", "symmetric": True, "activations": "int8-dynamic", **how}


def w16a16(**how):
    return {"weights": "int16", "group": "channel", "symmetric": True, "activations": "int16-dynamic", **how}


def pruned_rows():
    for method in PRUNERS:
        yield Row(f"50 %, {method}", {"prune": half(method)})
    for method in PRUNERS:
        yield Row(f"2:4, {method}", {"prune": two_of_four(method)})
    # What is left is fitted to what the dense layer gave, behind each of 4 rounds on the way to the ratio.
    fitted = {"compensation": "least-squares", "recomputations": 4}
    for method in ("magnitude", "wanda"):
        yield Row(f"50 %, {method}, least squares", {"prune": half(method) | fitted})
        yield Row(f"2:4, {method}, least squares", {"prune": two_of_four(method) | fitted})
    # Its information takes hours to find of a decoder.
    yield Row("50 %, fisher", {"prune": half("fisher")}, only=("classifier", "embedder"))
    yield Row("2:4, fisher", {"prune": two_of_four("fisher")}, only=("classifier", "embedder"))


def structured_rows():
    for method in ("l1", "fluctuation", "second-order", "taylor"):
        yield Row(f"25 % of neurons, {method}", {"prune": {"pattern": "neurons", "ratio": 0.25, "method": method}})
    yield Row("11 % of the width, principal axes", {"prune": {"pattern": "width", "ratio": 1 / 9}}, only=("decoder",))


def rounded_rows():
    for bits in (4, 3):
        for name, how in ROUNDERS.items():
            yield Row(f"int{bits} g64, {name}", {"quantize": grouped(bits, **how)})


def activation_rows():
    yield Row("W8A8, a scale a token", {"quantize": w8a8()})
    yield Row("W8A8, activation groups of 64", {"quantize": w8a8(activation_group=64)})
    yield Row("W8A8, smoothquant", {"quantize": w8a8(scaling="smoothquant")})
    yield Row("W8A8, static", {"quantize": w8a8(activations="int8-static")})
    yield Row("W8A8, static, smoothquant",
              {"quantize": w8a8(activations="int8-static", scaling="smoothquant")})
    yield Row("int8 full (weights, activations, embeddings, cache)", {"quantize": w8a8(kv_cache="int8")},
              full=True)
    yield Row("int16 full (weights, activations, embeddings; cache fp16)",
              {"quantize": w16a16(kv_cache="fp16")}, full=True)


def combined_rows():
    gptq = grouped(4, method="gptq")
    # Of a model whose zeros are there already, magnitude takes exactly those: it only says that they stay.
    stays = {"prune": half("magnitude"), "quantize": gptq}
    yield Row("50 % sparsegpt and int4 gptq in one loop", {"prune": half("sparsegpt"), "quantize": gptq})
    yield Row("50 % sparsegpt, then int4 gptq", {"prune": half("sparsegpt")}, stays)
    yield Row("2:4 sparsegpt + W8A8", {"prune": two_of_four("sparsegpt"), "quantize": w8a8()})
    yield Row("25 % of heads and neurons (l1) + int4 gptq",
              {"prune": [{"pattern": "heads", "ratio": 0.25}, {"pattern": "neurons", "ratio": 0.25}],
               "quantize": gptq})


def all_rows():
    return [Row("dense", {}, full=True), *pruned_rows(), *structured_rows(), *rounded_rows(), *activation_rows(),
            *combined_rows()]
