#!/usr/bin/env python3
"""Writes the golden files of this folder with what the `tokenizers` package gives.

    make_golden.py SAMPLES     (the folder that holds minilm/, smollm2-135m/ and wikitext2/)

minilm.json and smollm2.json: the hard corpus, with ids, offsets and decoded text. spm/t5 and spm/llama:
SentencePiece models trained on WikiText-2. hashes.json: for each of the four one hash every ten texts of
10,000 (block_corpus.py). windows.json: questions and long texts as overlapping windows.
"""
import json
import os
import shutil
import sys
import tempfile

from tokenizers import Tokenizer

import make_models
from block_corpus import BLOCK, COUNT, Corpus, fnv, line
from check_tokenizers import byte_offsets, bytes_to_chars, expected, gguf_file, reference_of_gguf
from hard_corpus import HARD

HERE = os.path.dirname(os.path.abspath(__file__))
PAIRS = [("How are you?", "Fine, thanks."), ("a b c d e f g h", "one two"), ("", "x"), ("中文 😀", "naïve <|im_end|> [SEP]")]
SPECIALS = {"minilm": ["[CLS]", "[SEP]", "[MASK]"], "smollm2": ["<|im_start|>", "<|im_end|>"],
            "t5": ["</s>", "<extra_id_0>", "<pad>"], "llama": ["<s>", "</s>"]}


def cases():
    for text in HARD:
        yield {"hex": text.hex()} if isinstance(text, bytes) else {"text": text}
    for first, second in PAIRS:
        for limit in (0, 4, 7, 10):
            yield {"text": first, "pair": second, **({"max": limit} if limit else {})}
    yield {"text": "a b c d e f g h", "max": 5}
    yield {"text": "no special tokens", "special": False}


def missing_bytes(reference, gguf):
    """Bytes that the vocabulary does not have: the package loses the place of their characters."""
    alphabet, vocabulary = bytes_to_chars(), reference.get_vocab()
    return {b for b in range(256) if gguf and alphabet[b] not in vocabulary}


def write_cases(name, reference, missing):
    out = []
    for case in cases():
        answer = expected(reference, case)
        if any(b in missing for b in (case.get("text", "") + case.get("pair", "")).encode()):
            answer.pop("offsets", None)
        out.append(case | answer)
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in out)
    with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as file:
        file.write("[\n" + lines + "\n]\n")


def hashes(name, reference, missing):
    corpus, out = Corpus(SPECIALS[name], len(name)), []
    reference.no_truncation()
    for _ in range(COUNT // BLOCK):
        value = fnv(b"")
        for _ in range(BLOCK):
            text = corpus.text()
            encoding = reference.encode(text)
            lost = any(b in missing for b in text.encode())
            offsets = [] if lost else byte_offsets(text, encoding.offsets)  # (0, 0) for special tokens
            decoded = reference.decode(encoding.ids, skip_special_tokens=True)
            value = fnv(line(encoding.ids, offsets, decoded), value)
        out.append(f"{value:016x}")
    return {"specials": SPECIALS[name], "seed": len(name), "missing": sorted(missing), "blocks": out}


def windows(reference, text):
    """Only the second text is cut; every window repeats some of the one before."""
    out = []
    for limit, stride in ((24, 5), (40, 0), (64, 31), (400, 10)):
        reference.enable_truncation(limit, stride=stride, strategy="only_second")
        first = reference.encode("Who wrote the naïve 中 novel?", text)
        out.append({"question": "Who wrote the naïve 中 novel?", "text": text, "max": limit, "stride": stride, "windows": [
            {"ids": e.ids, "types": e.type_ids, "sides": [-1 if s is None else s for s in e.sequence_ids],
             "offsets": [[0, 0] if s is None else byte_offsets(text if s else "Who wrote the naïve 中 novel?", [o])[0]
                         for o, s in zip(e.offsets, e.sequence_ids)]}
            for e in [first, *first.overflowing]]})
    return out


def main():
    samples = sys.argv[1]
    texts = make_models.lines(os.path.join(samples, "wikitext2", "test.txt"))[:4000]
    with tempfile.TemporaryDirectory() as work:
        make_models.sentencepiece_folders(texts, work, vocabulary=1000)
        for name, file in (("t5", "spiece.model"), ("llama", "tokenizer.model")):
            os.makedirs(os.path.join(HERE, "spm", name), exist_ok=True)
            for part in (file, "tokenizer_config.json"):
                shutil.copy(os.path.join(work, name, part), os.path.join(HERE, "spm", name, part))
        references = {name: Tokenizer.from_file(os.path.join(work, name, "reference.json")) for name in ("t5", "llama")}
    missing = {"t5": set(), "llama": set()}
    for sample, name in (("minilm", "minilm"), ("smollm2-135m", "smollm2")):
        model = os.path.join(samples, sample)
        gguf = gguf_file(model)
        references[name] = reference_of_gguf(gguf) if gguf else Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
        references[name].no_padding()
        missing[name] = missing_bytes(references[name], gguf)
        write_cases(name, references[name], missing[name])
    with open(os.path.join(HERE, "hashes.json"), "w", encoding="utf-8") as file:
        json.dump({name: hashes(name, references[name], missing[name]) for name in sorted(references)}, file)
        file.write("\n")
    with open(os.path.join(HERE, "windows.json"), "w", encoding="utf-8") as file:
        json.dump(windows(references["minilm"], " ".join(texts[5:9])[:1200] + " 中文 😀 naïve"), file, separators=(",", ":"))
        file.write("\n")


main()
