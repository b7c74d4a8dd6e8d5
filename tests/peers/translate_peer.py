"""Translations of the Opus-MT model are those of transformers: its tokenizer, greedy and with beams."""

import sys

import torch
from transformers import MarianMTModel, MarianTokenizer

import peer

TEXTS = ["The weather is nice today.", "Where is the nearest train station?", "I don't know what to say…",
         "She bought three books, two pens and a map of the city.", "The committee approved the new budget.",
         "He said: \"We will never give up!\"", "A 15% discount applies to orders above $200.",
         "Machine translation has improved a lot during the last ten years.", "Thank you very much, Mr. Smith!",
         "The cat sat on the mat while the dog was sleeping in the garden behind the house."]


def main():
    options = peer.arguments()
    folder = peer.sample(options, "helsinki_en_fr")
    tokenizer = MarianTokenizer.from_pretrained(folder)
    model = MarianMTModel.from_pretrained(folder).eval()
    fine = True
    for beams in (1, 4):
        answer = peer.pareto(options, "translate", folder, "--file", peer.text_file(options, TEXTS),
                             "--beams", str(beams), "--max-tokens", "128")
        for text, item in zip(TEXTS, answer["items"]):
            with torch.no_grad():
                made = model.generate(**tokenizer(text, return_tensors="pt"), num_beams=beams,
                                      max_new_tokens=128, do_sample=False)
            theirs = tokenizer.decode(made[0], skip_special_tokens=True)
            same = item["text"] == theirs
            print(f"{beams} beams, {text!r}: {'the same' if same else 'DIFFER'}"
                  f"{'' if same else f': {item}, {theirs!r}'}")
            fine = fine and same
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
