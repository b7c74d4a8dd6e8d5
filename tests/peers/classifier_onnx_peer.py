"""The converted classifier gives what ONNX Runtime gives for the file as published."""

import csv
import os
import sys

import numpy
import onnxruntime
from tokenizers import Tokenizer

import peer

ROWS = 400
MAX_TOKENS = 256
LABELS = ["benign", "injection"]  # logit 0, logit 1
LIMIT = 1e-5  # of a probability, in fp32


def probabilities(session, tokenizer, text):
    ids = numpy.array([tokenizer.encode(text).ids], dtype=numpy.int64)
    logits = session.run(["logits"], {"input_ids": ids, "attention_mask": numpy.ones_like(ids)})[0][0]
    powers = numpy.exp(logits.astype(numpy.float64) - logits.max())
    return powers / powers.sum()


def main():
    options = peer.arguments()
    original = peer.sample(options, "injection-classifier-onnx")
    converted = peer.sample(options, "injection-classifier")
    data = os.path.join(peer.sample(options, "prompt-injection"), "test.csv")
    with open(data, encoding="utf-8", newline="") as file:
        # The command line takes a text a line; texts with line ends are for the tokenizer's tests.
        rows = [row for row in csv.DictReader(file)
                if row["text"].strip() and len(row["text"].splitlines()) == 1][:ROWS]
    texts = peer.text_file(options, [row["text"] for row in rows])

    tokenizer = Tokenizer.from_file(os.path.join(original, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    session = onnxruntime.InferenceSession(os.path.join(original, "mini_semantic.onnx"))
    expected = numpy.array([probabilities(session, tokenizer, row["text"]) for row in rows])

    answer = peer.pareto(options, "classify", converted, "--file", texts,
                         "--max-length", str(MAX_TOKENS))
    scores = numpy.array([[item["scores"][label] for label in LABELS] for item in answer["items"]])
    labels = numpy.array([int(row["label"]) for row in rows])
    theirs = float((expected.argmax(axis=1) == labels).mean())
    ours = float((scores.argmax(axis=1) == labels).mean())
    print(f"accuracy on {len(rows)} rows: ONNX Runtime {theirs:.4f}, pareto {ours:.4f}")
    fine = peer.agree("probabilities", float(numpy.abs(scores - expected).max()), LIMIT)
    return 0 if fine and ours == theirs else 1


if __name__ == "__main__":
    sys.exit(main())
