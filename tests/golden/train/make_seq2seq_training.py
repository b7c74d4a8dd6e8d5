"""Makes tests/golden/train/seq2seq.json: loss and gradients of transformers' tiny encoder-decoder checkpoints of
tests/golden/models with teacher forcing, and what training makes of them, step by step.

Usage: make_seq2seq_training.py   (needs torch, transformers 4.57). Deterministic.
"""
import json

import torch
import transformers
from make_training import CLIP, DECAY, HERE, MODELS, STEPS, WARMUP, numbers, padded, trained

SOURCES = [[11, 12, 13], [21, 22], [5, 6, 7, 8, 9, 10, 33], [31], [40, 41, 42, 43], [15, 25, 35]]
TARGETS = [[13, 12, 11], [22, 21, 60, 61, 62], [10, 9, 8, 7], [31, 31], [43, 42, 41, 40, 39, 38, 37, 36], [35]]
#: Larger ones make rounding's last bits other ways within a few steps: the gradients' norms are up to 200.
RATE = 1e-4
#: Values of each gradient that are written, spread evenly.
KEPT = 5


def batch_of(model):
    config = model.config
    tokens, mask = padded([row + [config.eos_token_id] for row in SOURCES], config.pad_token_id)
    labels, there = padded([row + [config.eos_token_id] for row in TARGETS], config.pad_token_id)
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels.masked_fill(there == 0, -100)}


def gradients(model):
    """By transformers' names: the norm, and some values of the flattened gradient."""
    model.zero_grad()
    loss = model(**batch_of(model)).loss
    loss.backward()
    out = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            flat = parameter.grad.flatten()
            step = max(1, flat.numel() // KEPT)
            out[name] = {"norm": float(flat.norm()), "step": step, "values": numbers(flat[::step][:KEPT])}
    model.zero_grad()
    return {"loss": loss.item(), "gradients": out}


def case(name):
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(MODELS / name, attn_implementation="eager")
    model.eval()
    out = gradients(model)
    eos = model.config.eos_token_id
    source, target = torch.tensor([SOURCES[2] + [eos]]), torch.tensor([TARGETS[2] + [eos]])
    return out | trained(model, lambda m: m(**batch_of(m)).loss,
                         lambda m: m(input_ids=source, labels=target).logits[0, -1], RATE)


def main():
    torch.set_num_threads(1)
    names = ["tiny_t5", "tiny_t5_gated", "tiny_mt5", "tiny_marian"]
    out = {"sources": SOURCES, "targets": TARGETS, "steps": STEPS, "rate": RATE, "decay": DECAY, "warmup": WARMUP,
           "clip": CLIP, "models": {name: case(name) for name in names}}
    (HERE / "seq2seq.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
