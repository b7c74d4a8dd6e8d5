"""Makes encoders/new_heads.json: classifiers that transformers makes of encoders without one.

Usage: make_new_heads.py   (needs torch and transformers 4.57; behind make_encoders.py). Deterministic.

Each case is <Family>ForSequenceClassification.from_pretrained of a tiny checkpoint with another head or none:
the parameters that it did not find there (given random values, so that all of them matter), and the logits.
"draws" are the first values of RandomStream(seed, "head.<tensor>").normal() · 0.02, computed here from the
paper's Philox4x32-10.
"""
import json
import math

import torch
import transformers
from make_encoders import HERE, inputs, run
from make_models import numbers, write

LABELS = ["no", "maybe", "yes", "never"]
SOURCES = ["bert_bare", "bert_masked", "bert_tokens", "roberta_bare", "roberta_masked", "roberta_sentence",
           "roberta_tokens", "roberta_classes", "distilbert_bare", "distilbert_masked", "distilbert_tokens",
           "electra_bare", "electra_masked", "mpnet_bare", "mpnet_sentence", "mpnet_answer", "albert_bare",
           "albert_masked", "xlm_roberta_rank", "camembert_masked"]
MASK = 0xFFFFFFFF


def philox(counter, key):
    """Salmon et al. 2011, figure 2."""
    counter, key = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(b >> 32) ^ counter[1] ^ key[0], b & MASK, (a >> 32) ^ counter[3] ^ key[1], a & MASK]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return counter


def draws(seed, purpose, count):
    stream = 0xCBF29CE484222325
    for byte in purpose.encode():
        stream = ((stream ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    out = []
    for block in range(count):
        words = philox([block, 0, stream & MASK, stream >> 32], [seed & MASK, seed >> 32])
        u, v = [((words[i] << 32 | words[i + 1]) >> 11) * 2.0 ** -53 for i in (0, 2)]
        out.append(0.02 * math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2.0 * math.pi * v))
    return numbers(out)


def case(name):
    config = json.loads((HERE / name / "config.json").read_text())
    stem = {"bert": "Bert", "roberta": "Roberta", "xlm-roberta": "XLMRoberta", "camembert": "Camembert",
            "distilbert": "DistilBert", "electra": "Electra", "mpnet": "MPNet", "albert": "Albert"}
    kind = getattr(transformers, stem[config["model_type"]] + "ForSequenceClassification")
    model, info = kind.from_pretrained(HERE / name, num_labels=len(LABELS), output_loading_info=True,
                                       ignore_mismatched_sizes=True)
    model.eval()
    # The last layer is new whatever was found: a tagger's classifier has nothing to do with texts.
    last = [n for n, _ in model.named_parameters()
            if n.startswith("classifier.") and not n.startswith("classifier.dense")]
    new = sorted(set(info["missing_keys"]) | {key[0] for key in info["mismatched_keys"]} | set(last))
    torch.manual_seed(sum(map(ord, name)))
    values = {}
    for key, parameter in model.named_parameters():
        if key in new:
            torch.nn.init.normal_(parameter, std=0.3)
            values[key] = numbers(parameter.detach())
    ids, types = inputs(model)
    value = {"ids": ids} if types is None else {"ids": ids, "types": types}
    return value | {"new": values, "logits": [numbers(row) for row in run(model, ids, types).logits]}


def main():
    torch.set_num_threads(1)
    tensors = ["classifier.weight", "classifier.out.weight", "pooler.weight"]
    write("encoders/new_heads.json",
          {"labels": LABELS, "seed": 41, "draws": {name: draws(41, "head." + name, 8) for name in tensors},
           "cases": {name: case(name) for name in SOURCES}})


if __name__ == "__main__":
    main()
