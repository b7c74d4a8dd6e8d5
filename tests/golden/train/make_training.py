"""Makes tests/golden/train/training.json: what transformers' and torch's own training makes of the tiny checkpoints
of tests/golden/models, step by step, and losses of distillation from their formulas.

Usage: make_training.py   (needs torch, transformers 4.57). Deterministic.
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F
import transformers

HERE = pathlib.Path(__file__).parent
MODELS = HERE.parent / "models"
IDS = [[0, 11, 12, 13, 2], [0, 21, 22, 2], [0, 5, 6, 7, 8, 9, 2], [0, 31, 2], [0, 40, 41, 42, 43, 2], [0, 15, 25, 35, 2]]
LABELS = [0, 1, 2, 1, 0, 2]
STEPS, RATE, DECAY, WARMUP, CLIP = 12, 2e-3, 0.05, 0.25, 1.0


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]


def padded(ids, pad):
    longest = max(map(len, ids))
    tokens = torch.tensor([row + [pad] * (longest - len(row)) for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
    return tokens, mask


def trained(model, loss_of, outputs_of, rate=RATE):
    """The Trainer's recipe: AdamW without decay of biases and norms, linear schedule with warm-up, clipped norm."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train()
    plain = [p for n, p in model.named_parameters() if p.dim() == 2]
    rest = [p for n, p in model.named_parameters() if p.dim() != 2]
    optimizer = torch.optim.AdamW([{"params": plain, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}], lr=rate)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, math.ceil(WARMUP * STEPS), STEPS)
    losses, norms, rates = [], [], []
    for _ in range(STEPS):
        rates.append(schedule.get_last_lr()[0])
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
    model.eval()
    return {"losses": losses, "norms": norms, "rates": rates, "outputs": numbers(outputs_of(model))}


def classifier():
    model = transformers.AutoModelForSequenceClassification.from_pretrained(MODELS / "encoders/roberta_classes",
                                                                          attn_implementation="eager")
    tokens, mask = padded(IDS, 1)
    labels = torch.tensor(LABELS)
    return trained(model, lambda m: m(input_ids=tokens, attention_mask=mask, labels=labels).loss,
                   lambda m: m(input_ids=tokens, attention_mask=mask).logits)


def decoder():
    model = transformers.AutoModelForCausalLM.from_pretrained(MODELS / "tiny_llama", torch_dtype=torch.float32)
    ids = [[min(t, model.config.vocab_size - 1) for t in row] for row in IDS]
    tokens, mask = padded(ids, 0)
    labels = tokens.masked_fill(mask == 0, -100)
    return trained(model, lambda m: m(input_ids=tokens, attention_mask=mask, labels=labels).loss,
                   lambda m: m(input_ids=torch.tensor([ids[2]])).logits[0, -1])


def losses():
    torch.manual_seed(5)
    student, teacher = torch.randn(6, 4), torch.randn(6, 4)
    t = 2.5
    heads, dim, starts = 2, 3, [0, 2, 5]
    rows = {name: torch.randn(5, heads * dim) for name in ["sq", "sk", "tq", "tk"]}

    def maps(q, k, begin, end, scale, causal):
        def split(x):
            return x[begin:end].view(end - begin, heads, dim).transpose(0, 1)
        scores = split(q) @ split(k).transpose(1, 2) * scale
        if causal:
            scores = scores.masked_fill(torch.ones(end - begin, end - begin).triu(1).bool(), float("-inf"))
        return scores.softmax(-1)

    def divergence(sq, sk, tq, tk, scale, causal):
        total = 0.0
        for begin, end in zip(starts, starts[1:]):
            p, q = maps(tq, tk, begin, end, scale, causal), maps(sq, sk, begin, end, scale, causal)
            total += torch.where(p > 0, p * (p.clamp_min(1e-30).log() - q.clamp_min(1e-30).log()), torch.zeros(())).sum()
        return float(total / (heads * starts[-1]))

    def answer(outputs, begin, end, first, last):
        """As <Family>ForQuestionAnswering, of one text."""
        starts_, ends_ = outputs[begin:end, :1].T, outputs[begin:end, 1:2].T
        return (F.cross_entropy(starts_, torch.tensor([first])) + F.cross_entropy(ends_, torch.tensor([last]))) / 2

    scale = 1 / math.sqrt(dim)
    return {
        "cosines": [0.1, 0.9, 0.4],
        "similarity": float(F.mse_loss(F.cosine_similarity(student[0::2], student[1::2]), torch.tensor([0.1, 0.9, 0.4]))),
        "answer": float((answer(student, 0, 2, 1, 1) + answer(student, 2, 6, 0, 3)) / 2),
        "student": numbers(student), "teacher": numbers(teacher), "temperature": t,
        "logits": float(F.kl_div(F.log_softmax(student / t, -1), F.softmax(teacher / t, -1), reduction="batchmean") * t * t),
        "class": float(F.cross_entropy(student, torch.tensor([0, 3, -100, 1, 2, -100]))),
        "rows": {name: numbers(value) for name, value in rows.items()},
        "attention": divergence(rows["sq"], rows["sk"], rows["tq"], rows["tk"], scale, False),
        "attention_causal": divergence(rows["sq"], rows["sk"], rows["tq"], rows["tk"], scale, True),
        "relations": divergence(rows["sq"], rows["sq"], rows["tq"], rows["tq"], scale, False),
    }


def main():
    torch.set_num_threads(1)
    out = {"ids": IDS, "labels": LABELS, "steps": STEPS, "rate": RATE, "decay": DECAY, "warmup": WARMUP, "clip": CLIP,
           "classifier": classifier(), "decoder": decoder(), "distillation": losses()}
    (HERE / "training.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
