"""llama.cpp continues with the same words: T5 with random weights and a SentencePiece model made here,
exported to GGUF; greedy text of both, original and with neurons pruned."""

import os
import shutil
import subprocess
import sys

import torch
import transformers

import gguf_llamacpp_peer as gguf
import peer

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "text")
TEXTS = ["The weather is nice today.", "He wrote the second album with two friends in the north of the county.",
         "The game was released in 1994 .", "Robert was an English film , television and theatre actor ."]
THIRD = '{"version": 1, "defaults": {"prune": [{"method": "l1", "pattern": "neurons", "ratio": 0.33}]}}'
#: (settings, tokens compared): ggml reads GELU off a table of half-precision values, which soon tips a token
#: of a random model
FAMILIES = {"t5": ({"feed_forward_proj": "relu", "tie_word_embeddings": True}, 24),
            "t5, gated": ({"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}, 5)}


def make(options, words, name, values):
    torch.manual_seed(11)
    tokenizer = transformers.T5Tokenizer(os.path.join(words, "spiece.model"))
    config = transformers.T5Config(vocab_size=len(tokenizer), d_model=64, d_kv=16, d_ff=128, num_layers=3,
                                   num_heads=4, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1, **values)
    model = transformers.T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2 + 1.0 if "layer_norm" in key
                            else torch.randn_like(parameter) * (1.0 if "shared" in key or "relative" in key else 0.3))
    folder = os.path.join(options.work, name.replace(", ", "-"))
    model.save_pretrained(folder)
    for file in ("spiece.model", "tokenizer_config.json"):
        shutil.copy(os.path.join(words, file), folder)
    return folder


def their_text(options, model, text, tokens):
    done = peer.llamacpp(options, "llama-completion", "--model", model, "--prompt", text, "--predict", str(tokens),
                         "--temp", "0", "--no-conversation", "--no-display-prompt", "--threads", gguf.THREADS,
                         "--cache-type-k", "f32", "--cache-type-v", "f32", "--flash-attn", "off", "--repeat-penalty",
                         "1.0", "--no-warmup")
    return done.stdout.replace("[end of text]", "").strip()


def main():
    options = peer.arguments()
    made = os.path.join(options.work, "tokenizers")
    corpus = os.path.join(peer.sample(options, "wikitext2"), "test.txt")
    subprocess.run([sys.executable, "-B", os.path.join(GOLDEN, "make_models.py"), corpus, made], check=True,
                   stderr=subprocess.DEVNULL)
    fine = True
    for name, (values, tokens) in FAMILIES.items():
        folder = make(options, os.path.join(made, "t5"), name, values)
        for what, recipe in (("", '{"version": 1}'), (", pruned", THIRD)):
            model = gguf.exported_as(options, folder, name + what, recipe, "gguf:f32")
            answer = peer.pareto(options, "translate", model, "--file", peer.text_file(options, TEXTS),
                                 "--max-tokens", str(tokens), "--beams", "1")
            for text, item in zip(TEXTS, answer["items"]):
                ours, theirs = item["text"].strip(), their_text(options, model, text, tokens)
                same = bool(ours) and ours == theirs
                fine = fine and same
                print(f"{name + what:20} {text[:30]!r}: {'the same' if same else f'DIFFER: {ours!r} {theirs!r}'}",
                      flush=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
