"""transformers loads the exports of every decoder family and computes the same with them.

The models are those of tests/golden/models/decoders. An untouched export gives the logits of the golden
files. A pruned one gives the same from the folder as from the GGUF file with the same weights; one in
int8 stays near the original.
"""
# peers: newest too

import json
import os
import sys

import numpy
import torch
from transformers import AutoModelForCausalLM

import peer

DECODERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models", "decoders")
LIMIT = 2e-4
NEAR = 0.15  # of the logits' spread, with int8 weights
PRUNED = {"defaults": {"prune": [{"method": "l1", "pattern": "heads", "ratio": 0.5},
                                 {"method": "l1", "pattern": "neurons", "ratio": 0.25},
                                 {"method": "l1", "pattern": "blocks", "ratio": 0.34}]}}
INT8 = {"defaults": {"quantize": {"weights": "int8", "group": "channel"}}}


def exported(options, source, recipe):
    folder = os.path.join(options.work, str(len(os.listdir(options.work))))
    answer = peer.pareto(options, "optimize", source, "--recipe", json.dumps({"version": 1, **recipe}),
                         "--out", folder)
    assert answer["verified"], source
    return folder


def logits(folder, ids):
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager",
                                                 dtype=torch.float32).eval()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].numpy().astype(numpy.float64)


def compare(options, name):
    with open(os.path.join(DECODERS, name + ".json"), encoding="utf-8") as file:
        golden = json.load(file)
    ids = golden["ids"]
    expected = numpy.array(golden["logits"])
    folder = os.path.join(DECODERS, name)
    gguf = folder + ".gguf"

    def off(a, b):
        return float(numpy.abs(a - b).max())

    fine = peer.agree(f"{name}, untouched", off(logits(exported(options, folder, {}), ids), expected), LIMIT)
    pruned = logits(exported(options, folder, PRUNED), ids)
    fine &= peer.agree(f"{name}, pruned: finite", 0.0 if numpy.isfinite(pruned).all() else numpy.nan, 0.0)
    near = off(logits(exported(options, folder, INT8), ids), expected)
    fine &= peer.agree(f"{name}, int8", near / (expected.max() - expected.min()), NEAR)
    if os.path.exists(gguf):
        again = logits(exported(options, gguf, {}), ids)
        fine &= peer.agree(f"{name}, untouched, from GGUF", off(again, expected), LIMIT)
        again = logits(exported(options, gguf, PRUNED), ids)
        fine &= peer.agree(f"{name}, pruned, from GGUF", off(again, pruned), LIMIT)
    return fine


def main():
    options = peer.arguments()
    names = sorted(file[:-5] for file in os.listdir(DECODERS) if file.endswith(".json"))
    results = [compare(options, name) for name in names]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
