"""Greedy text of the GGUF decoder is that of transformers reading the same file."""

import os
import sys

import peer
import references

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
TOKENS = 64
PROMPTS = ["The capital of France is", "Water boils at", "List three colours:", "今天"]


def main():
    options = peer.arguments()
    folder = peer.sample(options, "smollm2-135m")
    loaded = references.CausalModel(folder, gguf_file=FILE)
    fine = True
    for prompt in PROMPTS:
        ours = peer.pareto(options, "generate", os.path.join(folder, FILE), "--prompt", prompt,
                           "--max-tokens", str(TOKENS))["token_ids"]
        theirs = loaded.greedy(prompt, TOKENS)
        same = ours == theirs
        print(f"{prompt!r}: {len(ours)} tokens "
              f"{'the same' if same else f'DIFFER: {ours} and {theirs}'}")
        fine = fine and same and bool(ours)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
