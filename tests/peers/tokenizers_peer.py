"""Tokenizers against the `tokenizers` package: 100,000 texts of each kind, and speed on one thread.

WordPiece (MiniLM), byte-level BPE (SmolLM2), and on models made here from WikiText-2: SentencePiece
Unigram (T5, XLM-R, ALBERT), SentencePiece BPE (Llama, Gemma), GPT-2, RoBERTa, Qwen2 and files with other
steps. Chat templates against transformers. $PARETO_PEER_TEXTS sets another number of texts.
"""

import os
import subprocess
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"

import peer  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "golden", "text")
ROUNDS = 5


def models(options):
    """(name, folder or file, tokenizer.json of the reference or None when it is the folder's own)"""
    yield "minilm", peer.sample(options, "minilm"), None
    yield "smollm2", peer.sample(options, "smollm2-135m"), None
    made = os.path.join(options.work, "models")
    corpus = os.path.join(peer.sample(options, "wikitext2"), "test.txt")
    subprocess.run([sys.executable, "-B", os.path.join(GOLDEN, "make_models.py"), corpus, made], check=True)
    for name in sorted(os.listdir(made)):
        reference = os.path.join(made, name, "reference.json")
        yield name, os.path.join(made, name), reference if os.path.exists(reference) else None


def same_ids(tool, folder, reference):
    count = os.environ.get("PARETO_PEER_TEXTS", "100000")
    command = [sys.executable, "-B", os.path.join(GOLDEN, "check_tokenizers.py"), tool, folder, "--count", count]
    return subprocess.call(command + (["--reference", reference] if reference else [])) == 0


def reference_tokenizer(folder, reference):
    sys.path.insert(0, GOLDEN)
    from check_tokenizers import gguf_file, reference_of_gguf
    from tokenizers import Tokenizer
    gguf = None if reference else gguf_file(folder)
    made = reference_of_gguf(gguf) if gguf else Tokenizer.from_file(reference or os.path.join(folder, "tokenizer.json"))
    made.no_padding()
    made.no_truncation()
    return made


def theirs(tokenizer, lines):
    size = sum(len(line.encode()) for line in lines)
    start = time.perf_counter()
    tokenizer.encode_batch(lines)
    return size / (time.perf_counter() - start)


def speed(tool, name, folder, reference, text_file):
    """Turn about, so that both meet the same machine: the median of the ratios."""
    with open(text_file, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    tokenizer = reference_tokenizer(folder, reference)
    theirs(tokenizer, lines)
    pairs = []
    for _ in range(ROUNDS):
        ours = float(subprocess.run([tool, folder, "--time", text_file], check=True, stdout=subprocess.PIPE).stdout)
        pairs.append((ours, theirs(tokenizer, lines)))
    ratio = sorted(a / b for a, b in pairs)[ROUNDS // 2]
    best = max(pairs)
    print(f"{name}: {best[0] / 1e6:.1f} MB/s, tokenizers {best[1] / 1e6:.1f} MB/s, ratio {ratio:.2f}: "
          f"{'ok' if ratio >= 1 else 'NO'}", flush=True)
    return ratio >= 1


def main():
    options = peer.arguments()
    tools = os.path.dirname(options.pareto)
    tool, chat = (os.path.join(tools, name) for name in ("tokenize_tool", "chat_tool"))
    if not os.access(tool, os.X_OK):
        print("skipped: tokenize_tool is not built beside the program")
        sys.exit(77)
    text_file = os.path.join(peer.sample(options, "wikitext2"), "valid.txt")
    fine = True
    for name, folder, reference in models(options):
        print(name, flush=True)
        fine = same_ids(tool, folder, reference) and fine
        fine = speed(tool, name, folder, reference, text_file) and fine
    fine = subprocess.call([sys.executable, "-B", os.path.join(GOLDEN, "make_chat.py"), chat]) == 0 and fine
    sys.exit(0 if fine else 1)


main()
