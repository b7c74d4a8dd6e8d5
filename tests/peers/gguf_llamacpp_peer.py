"""llama.cpp loads the GGUF files that the program exports and computes the same."""

import json
import os
import re
import sys
import tempfile

import numpy
import transformers

import peer
import references

WINDOW = 512
WINDOWS = 4
THREADS = "2"
#: Of the same values in fp32. With blocks of integers llama.cpp rounds inputs to 8 bits, too, which costs
#: this small model up to a hundredth.
PERPLEXITY_LIMIT = 0.005
ROUNDED_LIMIT = 0.02

DENSE = {}
UNEVEN = {"defaults": {"prune": [{"method": "l1", "pattern": "neurons", "ratio": 0.04},
                                 {"method": "l1", "pattern": "heads", "ratio": 0.12}]},
          "layers": [{"match": "decoder.layer.[0-3]\\..*", "skip": True},
                     {"match": "decoder.layer.7.ffn", "prune": {"ratio": 0.02}}]}
SPARSE = {"defaults": {"prune": {"method": "magnitude", "pattern": "unstructured", "ratio": 0.3}},
          "layers": [{"match": "embeddings.word", "skip": True}]}
INT8 = {"defaults": {"quantize": {"weights": "int8", "group": 32}}}
INT4 = {"defaults": {"quantize": {"weights": "int4", "group": 32, "range": "mse"}},
        "layers": [{"match": "embeddings.word", "quantize": {"weights": "int8"}}]}
SPARSE_INT8 = {"defaults": {**SPARSE["defaults"], "quantize": {"weights": "int8", "group": "channel"}},
               "layers": SPARSE["layers"]}
#: (what it is, recipe, format)
DECODERS = [("dense", DENSE, "gguf:f16"), ("dense", DENSE, "gguf:bf16"),
            ("dense", DENSE, "gguf:q8_0"), ("dense", DENSE, "gguf:q6_k"),
            ("dense", DENSE, "gguf:q5_k"), ("dense", DENSE, "gguf:q4_k"),
            ("dense", DENSE, "gguf:q4_0"), ("uneven pruning", UNEVEN, "gguf:f16"),
            ("sparse", SPARSE, "gguf:q8_0"), ("int8", INT8, "gguf"), ("int4", INT4, "gguf"),
            ("sparse, int8", SPARSE_INT8, "gguf")]
#: and the smallest cosine to the model before it was rounded: llama.cpp rounds inputs to 8 bits, too
ENCODERS = [("dense", DENSE, "gguf:f16", 0.9999), ("dense", DENSE, "gguf:q8_0", 0.998),
            ("heads pruned", {"defaults": {"prune": {"method": "l1", "pattern": "heads",
                                                     "ratio": 0.25}}}, "gguf:f32", 0.9999)]


def exported(options, model, what, recipe, form):
    return exported_as(options, model, what, json.dumps({"version": 1, **recipe}), form)


def exported_as(options, model, what, text, form):
    """The GGUF file of a model with a recipe given as JSON."""
    name = re.sub(r"\W+", "-", f"{os.path.basename(model)} {what} {form}")
    folder = tempfile.mkdtemp(prefix=name, dir=options.work)
    answer = peer.pareto(options, "optimize", model, "--recipe", text, "--out", folder, "--format",
                         form)
    if not answer["verified"]:
        print(f"{what}, {form}: the export was not verified")
        sys.exit(1)
    for note in answer.get("notes", []):
        print(f"{what}, {form}: note: {note}")
    return os.path.join(folder, "model.gguf")


def our_perplexity(options, model, text, window=WINDOW, windows=WINDOWS, recipe='{"version": 1}'):
    task = {"version": 1, "kind": "perplexity", "data": text, "format": "text",
            "protocol": "llama.cpp", "window": window, "limit": windows}
    path = os.path.join(options.work, "task.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(task, file)
    return peer.pareto(options, "eval", model, "--task", path, "--recipe", recipe, "--threads",
                       THREADS)["value"]


def their_perplexity(options, model, text, window=WINDOW, windows=WINDOWS):
    """The mean over the second halves of windows, as llama-perplexity computes it."""
    done = peer.llamacpp(options, "llama-perplexity", "--model", model, "--file", text, "--ctx-size",
                         str(window), "--batch-size", str(window), "--chunks", str(windows),
                         "--threads", THREADS, "--cache-type-k", "f32", "--cache-type-v", "f32",
                         "--flash-attn", "off")
    found = re.search(r"Final estimate: PPL = ([0-9.]+)", done.stdout + done.stderr)
    return float(found.group(1)) if found else float("nan")


def compare_decoders(options):
    source = os.path.join(peer.sample(options, "smollm2-135m"), "SmolLM2-135M-Instruct.Q4_1.gguf")
    text = os.path.join(peer.sample(options, "wikitext2"), "test.txt")
    rows = [f"{'model':16} {'format':10} {'bytes':>12} {'ours':>9} {'llama.cpp':>9} {'difference':>10} "
            f"{'in fp32':>9}"]
    fine = True
    for what, recipe, form in DECODERS:
        model = exported(options, source, what, recipe, form)
        ours = our_perplexity(options, model, text)
        theirs = their_perplexity(options, model, text)
        difference = theirs / ours - 1
        size = os.path.getsize(model)
        plain = exported(options, model, what, DENSE, "gguf:f32")
        exact = their_perplexity(options, plain, text) / ours - 1
        os.remove(plain)
        limit = PERPLEXITY_LIMIT if "16" in form else ROUNDED_LIMIT
        near = abs(exact) <= PERPLEXITY_LIMIT and abs(difference) <= limit  # a NaN is not
        fine = fine and near
        rows.append(f"{what:16} {form:10} {size:12,} {ours:9.4f} {theirs:9.4f} {difference:+10.3%} "
                    f"{exact:+9.3%}{'' if near else '  NO'}")
        print(rows[-1], flush=True)
        os.remove(model)
    print("\n".join(rows))
    return fine


def their_embeddings(options, model, texts):
    done = peer.llamacpp(options, "llama-embedding", "--model", model, "--file",
                         peer.text_file(options, texts), "--embd-normalize", "2",
                         "--embd-output-format", "json", "--threads", THREADS)
    data = json.loads(done.stdout)["data"]
    return numpy.array([entry["embedding"] for entry in data], dtype=numpy.float64)


def same_ids(options, model, source, texts):
    """The texts that llama.cpp cuts into the tokens that the model was trained with. Its WordPiece leaves
    Hangul whole and has no longest word, whatever the file says."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    same = []
    for text in texts:
        done = peer.llamacpp(options, "llama-tokenize", "--model", model, "--prompt", text, "--ids",
                             "--log-disable")
        if json.loads(done.stdout) == tokenizer(text)["input_ids"]:
            same.append(text)
        else:
            print(f"llama.cpp itself cuts this text differently: {text[:40]!r}")
    return same


def compare_encoders(options):
    source = peer.sample(options, "minilm")
    texts = references.hard_texts()[:-1]  # the last is longer than llama.cpp takes in one piece
    fine = True
    wanted = len(texts) - 2
    for what, recipe, form, limit in ENCODERS:
        model = exported(options, source, what, recipe, form)
        if len(texts) > wanted:
            texts = same_ids(options, model, source, texts)
            fine = fine and len(texts) >= wanted
        ours = peer.embed(options, source, texts, "--recipe",
                          json.dumps({"version": 1, **recipe}))
        theirs = their_embeddings(options, model, texts)
        cosines = (ours * theirs).sum(axis=1)
        near = bool((cosines >= limit).all())
        fine = fine and near
        print(f"encoder, {what}, {form}: {os.path.getsize(model):,} bytes, smallest cosine "
              f"{cosines.min():.6f} of {len(texts)} texts: {'ok' if near else 'NO'}")
        if not near:
            print("  " + ", ".join(f"{text[:24]!r} {cosine:.4f}"
                                   for text, cosine in zip(texts, cosines)
                                   if cosine < limit))
    return fine


def main():
    options = peer.arguments()
    results = [compare_encoders(options), compare_decoders(options)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
