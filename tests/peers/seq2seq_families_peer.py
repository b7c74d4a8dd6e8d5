"""transformers loads what the program exports of T5, mT5 and Marian, and computes the same as with the
original: untouched, untied, and with heads (self-attention and cross-attention) and neurons taken out,
which is compared with the original whose weakest heads and neurons were silenced by a count made here."""

import json
import os
import sys

import torch
import transformers

import peer

transformers.logging.set_verbosity_error()
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models")
NAMES = ["tiny_t5", "tiny_t5_gated", "tiny_mt5", "tiny_marian"]
RECIPES = {"untouched": {}, "untied": {"untie": True},
           "pruned": {"defaults": {"prune": [{"method": "l1", "pattern": "heads", "ratio": 0.34},
                                             {"method": "l1", "pattern": "neurons", "ratio": 0.5}]}}}
LIMIT = 1e-4


def loaded(folder):
    """The model; the names that are missing in the files or not known to the class."""
    model, info = transformers.AutoModelForSeq2SeqLM.from_pretrained(
        folder, output_loading_info=True, dtype=torch.float32)
    wrong = [name for key in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in info[key]]
    return model.eval(), wrong


def logits(model, expected):
    with torch.no_grad():
        return [model(input_ids=torch.tensor([source]),
                      decoder_input_ids=torch.tensor([expected["target"]])).logits.double()
                for source in expected["sources"]]


def groups(model):
    """(inputs, output, units) of everything that units can be taken from."""
    found = []
    for name, module in model.named_modules():
        part = lambda *names: [getattr(module, n) for n in names]
        if name.endswith(("SelfAttention", "EncDecAttention")):
            found.append((part("q", "k", "v"), module.o, model.config.num_heads))
        elif name.endswith("DenseReluDense"):
            inner = part("wi") if hasattr(module, "wi") else part("wi_0", "wi_1")
            found.append((inner, module.wo, module.wo.weight.shape[1]))
        elif name.endswith(("self_attn", "encoder_attn")):
            found.append((part("q_proj", "k_proj", "v_proj"), module.out_proj, module.num_heads))
        elif hasattr(module, "fc1"):
            found.append((part("fc1"), module.fc2, module.fc2.weight.shape[1]))
    return found


def silence(model):
    """Zeros in the columns through which the weakest heads and neurons reach the rest."""
    for inputs, output, units in groups(model):
        norms = output.weight.abs().reshape(output.weight.shape[0], units, -1).sum((0, 2), dtype=torch.float64)
        for linear in inputs:
            norms += linear.weight.abs().reshape(units, -1).sum(1, dtype=torch.float64)
        ratio = 0.34 if units == 3 else 0.5
        gone = torch.argsort(norms)[:round(ratio * units)]
        with torch.no_grad():
            output.weight.view(output.weight.shape[0], units, -1)[:, gone] = 0.0
    return model


def main():
    options = peer.arguments()
    fine = True
    for name in NAMES:
        source = os.path.join(MODELS, name)
        with open(source + ".json", encoding="utf-8") as file:
            expected = json.load(file)
        for title, recipe in RECIPES.items():
            folder = os.path.join(options.work, f"{name}_{title}")
            peer.pareto(options, "export", source, "--recipe", json.dumps({"version": 1, **recipe}),
                        "--out", folder)
            ours, wrong = loaded(folder)
            original, _ = loaded(source)
            wanted = logits(silence(original) if title == "pruned" else original, expected)
            off = max((a - b).abs().max().item() for a, b in zip(logits(ours, expected), wanted))
            fine = peer.agree(f"{name} {title}", off, LIMIT) and not wrong and fine
            if wrong:
                print(f"{name} {title}: transformers finds other tensors: {wrong}")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
