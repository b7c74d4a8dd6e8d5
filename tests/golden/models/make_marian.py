"""Makes marian_en_fr.json: what transformers makes of 60 English sentences with the Opus-MT model
English to French, greedy and with 4 beams.

Usage: make_marian.py SAMPLES_FOLDER   (with helsinki_en_fr, trec and wikitext2; needs torch,
transformers 4.57, sentencepiece). Deterministic. Prints its own speed. The texts themselves
are not stored: they are data of others.
"""
import csv
import json
import pathlib
import re
import sys
import time

import torch
from transformers import MarianMTModel, MarianTokenizer

HERE = pathlib.Path(__file__).parent


def sentences(samples):
    with open(samples / "trec" / "trec.csv", encoding="utf-8") as file:
        rows = [row["text"] for row in csv.DictReader(file)]
    text = (samples / "wikitext2" / "test.txt").read_text(encoding="utf-8")
    text = re.sub(r" @(.)@ ", r"\1", text).replace(" ,", ",").replace(" 's", "'s")
    prose = [s.strip() + "." for s in text.split(" . ") if 50 < len(s) < 160 and "<unk>" not in s
             and "=" not in s and '"' not in s]
    return rows[:25] + prose[:35]


def main():
    samples = pathlib.Path(sys.argv[1])
    torch.set_num_threads(2)
    folder = samples / "helsinki_en_fr"
    tokenizer = MarianTokenizer.from_pretrained(folder)
    model = MarianMTModel.from_pretrained(folder).eval()
    texts = sentences(samples)
    out = {"sources": [tokenizer(t)["input_ids"] for t in texts]}
    for name, beams in (("greedy", 1), ("beams", 4)):
        ids, translations, scores = [], [], []
        start = time.perf_counter()
        for source in out["sources"]:
            with torch.no_grad():
                made = model.generate(torch.tensor([source]), num_beams=beams, do_sample=False,
                                      max_new_tokens=128, return_dict_in_generate=True,
                                      output_scores=True)
            row = made.sequences[0].tolist()[1:]
            ids.append(row[:row.index(0)] if 0 in row else row)
            translations.append(tokenizer.decode(ids[-1], skip_special_tokens=True))
            if beams > 1:
                scores.append(round(made.sequences_scores[0].item(), 6))
        seconds = time.perf_counter() - start
        tokens = sum(map(len, ids))
        print(f"{name}: {len(texts) / seconds:.2f} sentences/s, {tokens / seconds:.1f} tokens/s, one at a time")
        out[name], out[name + "_texts"], out[name + "_scores"] = ids, translations, scores
    text = json.dumps(out, ensure_ascii=False, separators=(",", ":"))
    (HERE / "marian_en_fr.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
