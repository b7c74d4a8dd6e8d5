"""transformers loads what the program exports of every encoder family and head, and computes the same as
with the original: untouched, in int8, and with heads and neurons taken out, which is compared with the
original whose weakest heads and neurons were silenced by a count made here."""
# peers: newest too

import json
import os
import sys

import torch
import transformers

import peer

transformers.logging.set_verbosity_error()
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "models", "encoders")
HEADS = {"bare": "Model", "groups": "Model", "classes": "ForSequenceClassification",
         "rank": "ForSequenceClassification", "tokens": "ForTokenClassification",
         "answer": "ForQuestionAnswering", "masked": "ForMaskedLM"}
# Where a block's linears are: query, key, value, attention output, in, out.
BERT = ["attention.self.query", "attention.self.key", "attention.self.value",
        "attention.output.dense", "intermediate.dense", "output.dense"]
LINEARS = {"mpnet": ["attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
                     "intermediate.dense", "output.dense"],
           "distilbert": ["attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin",
                          "ffn.lin1", "ffn.lin2"],
           "albert": ["attention.query", "attention.key", "attention.value", "attention.dense", "ffn",
                      "ffn_output"]}
PRUNED = {"defaults": {"prune": [{"method": "l1", "pattern": "heads", "ratio": 0.34},
                                 {"method": "l1", "pattern": "neurons", "ratio": 0.5}]}}
INT8 = {"defaults": {"quantize": {"weights": "int8", "group": "channel"}},
        "layers": [{"match": "embeddings\\..*", "skip": True}, {"match": "mlm.decoder", "skip": True}]}
LIMIT = 1e-4
#: What rounding the weights to int8 costs these made-up models, as a share of the largest output.
INT8_LIMIT = 0.1


def loaded(folder, head):
    """The model; the names that are missing in the files or not known to the class."""
    kind = getattr(transformers, "AutoModel" + HEADS[head].removeprefix("Model"))
    model, info = kind.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    wrong = [name for key in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in info[key]]
    return model.eval(), wrong


def outputs(model, ids, types):
    """All logits of every text, one after the other."""
    out = []
    for i, row in enumerate(ids):
        more = {} if types is None else {"token_type_ids": torch.tensor([types[i]])}
        with torch.no_grad():
            result = model(input_ids=torch.tensor([row]), **more)
        names = ["logits", "start_logits", "end_logits", "last_hidden_state"]
        out += [result[name].double().flatten() for name in names if name in result]
    return torch.cat(out)


def blocks(model):
    base = model.base_model
    if model.config.model_type == "albert":
        return [group.albert_layers[0] for group in base.encoder.albert_layer_groups]
    return base.transformer.layer if model.config.model_type == "distilbert" else base.encoder.layer


def weakest(norms, count):
    return sorted(range(len(norms)), key=lambda i: norms[i])[:count]


def silence(model):
    """Zeros in the columns through which the weakest head and half of the neurons speak."""
    names = LINEARS.get(model.config.model_type, BERT)
    for block in blocks(model):
        q, k, v, o, inner, outer = (block.get_submodule(name).weight.detach() for name in names)
        heads = model.config.num_attention_heads
        size = q.shape[0] // heads
        norms = sum(w.double().abs().sum(1).view(heads, size).sum(1) for w in (q, k, v))
        norms = norms + o.double().abs().sum(0).view(heads, size).sum(1)
        for head in weakest(norms.tolist(), 1):
            o[:, head * size:(head + 1) * size] = 0
        norms = inner.double().abs().sum(1) + outer.double().abs().sum(0)
        outer[:, weakest(norms.tolist(), len(norms) // 2)] = 0
    return model


def difference(a, b):
    return float((a - b).abs().max() / max(1.0, float(b.abs().max())))


def compare(options, name):
    head = name.rsplit("_", 1)[1]
    source = os.path.join(MODELS, name)
    with open(source + ".json", encoding="utf-8") as file:
        golden = json.load(file)
    ids, types = golden["ids"], golden.get("types")
    original, _ = loaded(source, head)
    fine = True
    for title, recipe, limit in (("untouched", {}, LIMIT), ("pruned", PRUNED, LIMIT), ("int8", INT8, INT8_LIMIT)):
        folder = os.path.join(options.work, f"{name}-{title}")
        peer.pareto(options, "export", source, "--recipe", json.dumps({"version": 1, **recipe}), "--out", folder)
        model, wrong = loaded(folder, head)
        wrong = [key for key in wrong if title != "int8" or not key.endswith("_scale")]
        if wrong:
            print(f"{name}, {title}: names that do not fit: {wrong}")
            fine = False
        expected = silence(loaded(source, head)[0]) if title == "pruned" else original
        off = difference(outputs(model, ids, types), outputs(expected, ids, types))
        fine = peer.agree(f"{name}, {title}", off, limit) and fine
    return fine


def main():
    options = peer.arguments()
    names = sorted(name for name in os.listdir(MODELS)
                   if os.path.isdir(os.path.join(MODELS, name)) and name.rsplit("_", 1)[1] in HEADS)
    return 0 if all([compare(options, name) for name in names]) else 1


if __name__ == "__main__":
    sys.exit(main())
