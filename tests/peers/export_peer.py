"""Loads an exported folder with transformers and compares it with what Pareto Studio computed.

    export_peer.py embed    EXPORTED --text "..." --ours ours.json
    export_peer.py classify EXPORTED --text "..." --ours ours.json
    export_peer.py generate EXPORTED --text "..." --ours ours.json [--tokens 64]

`ours.json` is what `pareto embed|classify|generate --json` printed for the same text and the optimized
model. With --original, transformers runs that folder, too, and the change by the optimization is printed
(informative). Prints one line a comparison with the largest absolute difference; exit code 1 when it is
above --tolerance, or when greedy tokens differ.
"""
import argparse
import json
import os
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

ACTIVATIONS = {"Identity": lambda x: x, "ReLU": torch.relu, "Tanh": torch.tanh,
               "GELU": torch.nn.functional.gelu, "SiLU": torch.nn.functional.silu}


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


def modules_of(folder):
    """sentence-transformers modules, by hand: what the package does, without depending on it."""
    if not os.path.exists(os.path.join(folder, "modules.json")):
        return "", []
    modules = read_json(folder, "modules.json")
    return modules[0]["path"], modules[1:]


def pool(hidden, mask, config):
    mask = mask.unsqueeze(-1).to(hidden.dtype)
    if config.get("pooling_mode_cls_token") or config.get("pooling_mode") == "cls":
        return hidden[:, 0]
    if config.get("pooling_mode_max_tokens") or config.get("pooling_mode") == "max":
        return hidden.masked_fill(mask == 0, -1e9).max(1).values
    return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)


def dense(x, folder):
    config = read_json(folder, "config.json")
    weights = load_file(os.path.join(folder, "model.safetensors"))
    name = config.get("activation_function", "torch.nn.modules.activation.Tanh").rsplit(".", 1)[-1]
    return ACTIVATIONS[name](torch.nn.functional.linear(x, weights["linear.weight"], weights.get("linear.bias")))


@torch.no_grad()
def encode(folder, text, max_length):
    sub, modules = modules_of(folder)
    place = os.path.join(folder, sub)
    tokenizer = AutoTokenizer.from_pretrained(place)
    model = AutoModel.from_pretrained(place).eval()
    batch = tokenizer([text], return_tensors="pt", truncation=True, max_length=max_length)
    x = model(**batch).last_hidden_state
    if not modules:
        return pool(x, batch["attention_mask"], {})[0]
    for module in modules:
        where = os.path.join(folder, module["path"])
        kind = module["type"].rsplit(".", 1)[-1]
        if kind == "Pooling":
            x = pool(x, batch["attention_mask"], read_json(where, "config.json"))
        elif kind == "Dense":
            x = dense(x, where)
        elif kind == "Normalize":
            x = torch.nn.functional.normalize(x, dim=-1)
        else:
            sys.exit("unknown module " + kind)
    return x[0]


@torch.no_grad()
def classify(folder, text, max_length):
    if modules_of(folder)[1]:
        return torch.softmax(encode(folder, text, max_length).float(), -1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    batch = tokenizer([text], return_tensors="pt", truncation=True, max_length=max_length)
    return torch.softmax(model(**batch).logits[0].float(), -1)


@torch.no_grad()
def generate(folder, text, tokens):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    batch = tokenizer([text], return_tensors="pt", return_token_type_ids=False)
    ids = model.generate(**batch, max_new_tokens=tokens, do_sample=False)[0, batch["input_ids"].shape[1]:]
    return ids.tolist()


def scores_of(ours):
    scores = ours["scores"]
    if isinstance(scores, dict):
        return list(scores.values())
    return [entry["score"] if isinstance(entry, dict) else entry for entry in scores]


def compare(name, theirs, ours, tolerance):
    ours = torch.tensor(ours, dtype=torch.float32)
    if ours.shape != theirs.shape:
        print(f"{name}: {tuple(theirs.shape)} values by transformers, {tuple(ours.shape)} by pareto")
        return 1
    worst = (theirs.float() - ours).abs().max().item()
    print(f"{name}: max |difference| {worst:.3g} over {ours.numel()} values (allowed {tolerance:g})")
    return 0 if worst <= tolerance else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["embed", "classify", "generate"])
    parser.add_argument("exported")
    parser.add_argument("--text", required=True)
    parser.add_argument("--ours", required=True, help="JSON printed by pareto for the same text")
    parser.add_argument("--original", help="folder before the optimization")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=64)
    options = parser.parse_args()
    ours = read_json(options.ours)

    if options.kind == "generate":
        theirs = generate(options.exported, options.text, options.tokens)
        mine = ours["token_ids"]
        length = min(len(mine), len(theirs))
        same = next((i for i in range(length) if mine[i] != theirs[i]), length)
        print(f"generate: {same} of {len(mine)} greedy tokens are the same")
        return 0 if length > 0 and same == length else 1
    run = encode if options.kind == "embed" else classify
    theirs = run(options.exported, options.text, options.max_length)
    if options.original:
        before = run(options.original, options.text, options.max_length)
        print(f"{options.kind}: the optimization changed the output by {(theirs - before).abs().max().item():.3g}")
    values = ours["vector"] if options.kind == "embed" else scores_of(ours)
    return compare(options.kind, theirs, values, options.tolerance)


if __name__ == "__main__":
    sys.exit(main())
