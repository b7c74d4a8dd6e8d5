"""transformers loads what the program exports and computes the same."""
# peers: newest too

import json
import os
import sys

import numpy

import peer
import references

LIMIT = 1e-4
TOKENS = 64
PROMPTS = ["The capital of France is", "Once upon a time", "def fibonacci(n):"]
HALF = [{"method": "l1", "pattern": "heads", "ratio": 0.5},
        {"method": "l1", "pattern": "neurons", "ratio": 0.5}]
UNTOUCHED_EMBEDDINGS = [{"match": "embeddings\\..*", "skip": True}]
ENCODER_RECIPES = {
    "untouched": {},
    "half of heads and neurons": {"defaults": {"prune": HALF}},
    "half of the weights": {"defaults": {"prune": {"method": "magnitude",
                                                   "pattern": "unstructured", "ratio": 0.5}}},
    "a third of the blocks": {"defaults": {"prune": {"method": "l1", "pattern": "blocks",
                                                     "ratio": 0.34}}},
    "uneven widths": {"defaults": {"prune": HALF},
                      "layers": [{"match": "encoder.layer.0.ffn", "prune": {"ratio": 0.25}},
                                 {"match": "encoder.layer.5.attention", "prune": {"ratio": 0.2}}]},
    "int8 weights": {"defaults": {"quantize": {"weights": "int8", "group": "channel"}},
                     "layers": UNTOUCHED_EMBEDDINGS},
    "int4 weights": {"defaults": {"quantize": {"weights": "int4", "group": 64}},
                     "layers": UNTOUCHED_EMBEDDINGS},
    "fp8 weights": {"defaults": {"quantize": {"weights": "fp8", "group": "channel"}},
                    "layers": UNTOUCHED_EMBEDDINGS},
    "int3 weights": {"defaults": {"quantize": {"weights": "int3", "group": 64}},
                     "layers": UNTOUCHED_EMBEDDINGS},
    "int2 weights with zero points": {"defaults": {"quantize": {"weights": "int2", "group": 64,
                                                                "symmetric": False}},
                                      "layers": UNTOUCHED_EMBEDDINGS},
}
DECODER_RECIPES = {
    "untouched": {},
    "a quarter of the neurons": {"defaults": {"prune": {"method": "l1", "pattern": "neurons",
                                                        "ratio": 0.25}}},
}


def exported(options, model, name, recipe):
    """Writes the model with the recipe; answers its folder and the recipe as text."""
    text = json.dumps({"version": 1, **recipe})
    folder = os.path.join(options.work, name.replace(" ", "-"))
    answer = peer.pareto(options, "optimize", model, "--recipe", text, "--out", folder)
    if not answer["verified"]:
        print(f"{name}: the export was not verified")
        sys.exit(1)
    for note in answer.get("notes", []):
        print(f"{name}: note: {note}")
    return folder, text


def compare_encoder(options, name, recipe):
    model = peer.sample(options, "minilm")
    folder, text = exported(options, model, "encoder " + name, recipe)
    texts = references.hard_texts()
    ours = peer.embed(options, model, texts, "--recipe", text)
    theirs = references.embeddings(folder, texts)
    return peer.agree(f"encoder, {name}", float(numpy.abs(ours - theirs).max()), LIMIT)


def compare_decoder(options, name, recipe):
    model = os.path.join(peer.sample(options, "smollm2-135m"), "SmolLM2-135M-Instruct.Q4_1.gguf")
    folder, text = exported(options, model, "decoder " + name, recipe)
    loaded = references.CausalModel(folder)
    fine = True
    for prompt in PROMPTS:
        ours = peer.pareto(options, "generate", model, "--prompt", prompt, "--recipe", text,
                           "--max-tokens", str(TOKENS))["token_ids"]
        theirs = loaded.greedy(prompt, TOKENS)
        same = ours == theirs
        print(f"decoder, {name}, {prompt!r}: {len(ours)} tokens "
              f"{'the same' if same else f'DIFFER: {ours} and {theirs}'}")
        fine = fine and same and bool(ours)
    return fine


def main():
    options = peer.arguments()
    results = [compare_encoder(options, *item) for item in ENCODER_RECIPES.items()]
    results += [compare_decoder(options, *item) for item in DECODER_RECIPES.items()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
