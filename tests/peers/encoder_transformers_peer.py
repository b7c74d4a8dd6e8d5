"""Embeddings of the sentence encoder are those of transformers."""
# peers: newest too

import sys

import numpy

import peer
import references

LIMIT = 1e-4


def main():
    options = peer.arguments()
    model = peer.sample(options, "minilm")
    texts = references.hard_texts()
    expected = references.embeddings(model, texts)
    found = peer.embed(options, model, texts)
    return 0 if peer.agree("embeddings", float(numpy.abs(found - expected).max()), LIMIT) else 1


if __name__ == "__main__":
    sys.exit(main())
