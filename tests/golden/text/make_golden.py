#!/usr/bin/env python3
"""Writes minilm.json and smollm2.json beside this file: the hard corpus, with the ids, offsets and decoded
text that the `tokenizers` package gives.

    make_golden.py SAMPLES     (the folder that holds minilm/ and smollm2-135m/)
"""
import json
import os
import sys

from tokenizers import Tokenizer

from check_tokenizers import bytes_to_chars, expected, gguf_file, reference_of_gguf
from hard_corpus import HARD

PAIRS = [("How are you?", "Fine, thanks."), ("a b c d e f g h", "one two"), ("", "x"), ("中文 😀", "naïve <|im_end|> [SEP]")]


def cases():
    for text in HARD:
        yield {"hex": text.hex()} if isinstance(text, bytes) else {"text": text}
    for first, second in PAIRS:
        for limit in (0, 4, 7, 10):
            yield {"text": first, "pair": second, **({"max": limit} if limit else {})}
    yield {"text": "a b c d e f g h", "max": 5}
    yield {"text": "no special tokens", "special": False}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    for sample, name in (("minilm", "minilm"), ("smollm2-135m", "smollm2")):
        model = os.path.join(sys.argv[1], sample)
        gguf = gguf_file(model)
        reference = reference_of_gguf(gguf) if gguf else Tokenizer.from_file(
            os.path.join(model, "tokenizer.json"))
        reference.no_padding()
        alphabet, vocabulary = bytes_to_chars(), reference.get_vocab()
        missing = {b for b in range(256) if gguf and alphabet[b] not in vocabulary}
        out = []
        for case in cases():
            answer = expected(reference, case)
            text = case.get("text", "") + case.get("pair", "")
            if any(b in missing for b in text.encode()):
                answer.pop("offsets", None)
            out.append(case | answer)
        lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in out)
        with open(os.path.join(here, name + ".json"), "w") as file:
            file.write("[\n" + lines + "\n]\n")


main()
