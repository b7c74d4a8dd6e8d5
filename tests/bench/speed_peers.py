"""The program's speed beside other engines': transformers, ONNX Runtime and OpenVINO for an encoder, llama.cpp for a
decoder.

Usage: speed_peers.py --serve BENCH_SERVE --pareto PROGRAM --samples FOLDER --llamacpp FOLDER
                      [--threads 2] [--rounds 15] [--models encoder decoder] [--only REGEX]
BENCH_SERVE is the built tests/bench/bench_serve, PROGRAM the command line, --llamacpp a folder with llama-bench.
Runs with a Python that has torch, transformers, onnx, onnxruntime and openvino (./dev bench --speed makes one).

Two contestants take turns (A-B, B-A, …), so that load from elsewhere falls on both. A row prints both medians and
the median of their ratio (theirs / ours: above 1 is faster here) with its 95 % bootstrap interval. ONNX Runtime runs
the model as transformers exports it, all graph optimizations on, and its dynamic int8 quantization with default
settings; OpenVINO compiles the same file for the shape. llama.cpp runs files that the program exported: the same weights as integers, the same model; both
perplexities (second halves of windows of 512 tokens) stand below. What a token reads is compared with the bandwidth
that `pareto profile` measures over a buffer as large as the packed weights.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))

ENCODER = "minilm"
DECODER = os.path.join("smollm2-135m", "SmolLM2-135M-Instruct.Q4_1.gguf")
INT8_TOKEN = {"weights": "int8", "group": "channel", "activations": "int8-dynamic"}
HEAD = "embeddings\\..*"
PAUSE = 0.05  # seconds in which the other one's threads stop spinning


def recipe(defaults, layers=()):
    return {"version": 1, "defaults": defaults, "layers": list(layers)}


def decoder_recipe(bits, activations):
    """Weights in groups of 32 as llama.cpp's blocks; the tied embedding keeps 8 bits."""
    inputs = {"activations": "int8-dynamic", "activation_group": 32} if activations else {}
    weights = {"weights": f"int{bits}", "group": 32, "symmetric": True, **inputs}
    return recipe({"quantize": weights}, [{"match": HEAD, "quantize": {"weights": "int8"}}])


def warmed(run):
    """The second of two runs: the first wakes the threads."""
    return lambda: (run(), run())[1]


class Ours:
    """bench_serve with one recipe."""

    def __init__(self, options, work, model, recipe_value, threads=None):
        path = "-"
        if recipe_value is not None:
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=work, suffix=".json", delete=False) as file:
                json.dump(recipe_value, file)
            path = file.name
        self.process = subprocess.Popen([options.serve, model, path, str(threads or options.threads)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.ask("bytes")  # ready, with its kernels chosen, before anything else runs

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def timed(self, line):
        return warmed(lambda: float(self.ask(line)))


class Onnx:
    def __init__(self, path, threads, items, tokens):
        import numpy
        import onnxruntime
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        ids = numpy.random.default_rng(7).integers(0, 30000, (items, tokens), dtype=numpy.int64)
        self.inputs = {"input_ids": ids, "attention_mask": numpy.ones_like(ids)}

    def __call__(self):
        start = time.perf_counter()
        self.session.run(None, self.inputs)
        return (time.perf_counter() - start) * 1e3


class OpenVino:
    def __init__(self, path, threads, items, tokens):
        import numpy
        import openvino
        core = openvino.Core()
        model = core.read_model(path)
        model.reshape({name: [items, tokens] for name in ("input_ids", "attention_mask")})
        self.request = core.compile_model(model, "CPU", {
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
        ids = numpy.random.default_rng(7).integers(0, 30000, (items, tokens), dtype=numpy.int64)
        self.inputs = {"input_ids": ids, "attention_mask": numpy.ones_like(ids)}

    def __call__(self):
        start = time.perf_counter()
        self.request.infer(self.inputs)
        return (time.perf_counter() - start) * 1e3


class Transformers:
    def __init__(self, folder, threads, items, tokens):
        import torch
        from transformers import AutoModel
        torch.set_num_threads(threads)
        self.torch = torch
        self.model = AutoModel.from_pretrained(folder).eval()
        self.ids = torch.randint(0, 30000, (items, tokens), generator=torch.Generator().manual_seed(7))

    def __call__(self):
        start = time.perf_counter()
        with self.torch.inference_mode():
            self.model(input_ids=self.ids)
        return (time.perf_counter() - start) * 1e3


def export_onnx(folder, work):
    """The encoder's hidden states as fp32 and as dynamic int8: two paths."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel

    class Body(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    ids = torch.ones(1, 16, dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    fp32, int8 = os.path.join(work, "fp32.onnx"), os.path.join(work, "int8.onnx")
    torch.onnx.export(Body(), (ids, ids), fp32, input_names=["input_ids", "attention_mask"], output_names=["hidden"],
                      dynamic_axes={"input_ids": axes, "attention_mask": axes, "hidden": axes}, opset_version=17,
                      dynamo=False)
    quantize_dynamic(fp32, int8, weight_type=QuantType.QInt8)
    return fp32, int8


def llama_bench(options, path, what):
    """Milliseconds of a prompt of 512 tokens ("prompt"), or a token of 64 ("token")."""
    sizes = ["-p", "512", "-n", "0"] if what == "prompt" else ["-p", "0", "-n", "64"]

    def run():
        done = subprocess.run([os.path.join(options.llamacpp, "llama-bench"), "-m", path, *sizes, "-r", "1", "-t",
                               str(options.threads), "-o", "json"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=True)
        nanoseconds = json.loads(done.stdout)[0]["avg_ns"]
        return nanoseconds / 1e6 / (1 if what == "prompt" else 64)

    return run


def median_ratio(ours, theirs):
    ratios = [b / a for a, b in zip(ours, theirs)]
    draws = random.Random(1)
    medians = sorted(statistics.median(draws.choices(ratios, k=len(ratios))) for _ in range(2000))
    return statistics.median(ratios), medians[50], medians[1949]


def compare(options, name, ours, theirs, their_name):
    if not re.search(options.only, name):
        return
    mine, other = [], []
    for i in range(options.rounds):
        for run, out in ((ours, mine), (theirs, other))[:: 1 if i % 2 == 0 else -1]:
            time.sleep(PAUSE)
            out.append(run())
    ratio, low, high = median_ratio(mine, other)
    print(f"| {name} | {statistics.median(mine):.2f} | {statistics.median(other):.2f} {their_name} "
          f"| {ratio:.2f} [{low:.2f}, {high:.2f}] |", flush=True)


def encoder(options, work):
    model = os.path.join(options.samples, ENCODER)
    fp32, int8 = export_onnx(model, work)
    kept = [{"match": HEAD, "prune": None}]
    contestants = {
        "fp32": Ours(options, work, model, None),
        "int8": Ours(options, work, model, recipe({"quantize": INT8_TOKEN})),
    }
    pairs = [("fp32", "transformers fp32"), ("fp32", "ONNX Runtime fp32"), ("fp32", "OpenVINO fp32"),
             ("int8", "ONNX Runtime int8"), ("int8", "OpenVINO, the same int8")]
    for pattern in ("1x4", "4x4", "16x4"):
        sparse = {"pattern": pattern, "ratio": 0.8}
        name = f"80 % {pattern}"
        contestants[name] = Ours(options, work, model, recipe({"prune": sparse}, kept))
        contestants[name + " + int8"] = Ours(options, work, model,
                                             recipe({"prune": sparse, "quantize": INT8_TOKEN}, kept))
        pairs += [(name, "ONNX Runtime fp32"), (name + " + int8", "ONNX Runtime fp32"),
                  (name + " + int8", "dense int8 here")]
    for items in (1, 8):
        line = f"text 128 {items}"
        rivals = {"ONNX Runtime fp32": warmed(Onnx(fp32, options.threads, items, 128)),
                  "ONNX Runtime int8": warmed(Onnx(int8, options.threads, items, 128)),
                  "OpenVINO fp32": warmed(OpenVino(fp32, options.threads, items, 128)),
                  "OpenVINO, the same int8": warmed(OpenVino(int8, options.threads, items, 128)),
                  "transformers fp32": warmed(Transformers(model, options.threads, items, 128)),
                  "dense int8 here": contestants["int8"].timed(line)}
        for ours, theirs in pairs:
            compare(options, f"MiniLM-L6 {items}×128, {ours}", contestants[ours].timed(line), rivals[theirs], theirs)
    for one in contestants.values():
        one.close()


def each(run, items):
    return lambda: run() / items


def bandwidth(options, model, bits, ours):
    """What a token reads each second beside what this machine reads, both measured now."""
    import peer
    profile = peer.pareto(options, "profile", model, "--recipe", json.dumps(decoder_recipe(bits, True)), "--threads",
                          str(options.threads), "--prompt", "16", "--generate", "4")
    roof = profile["roofs"]["weights_gb_per_s"]["median"]
    token = statistics.median(ours.timed("token 1 64")() for _ in range(options.rounds))
    read = profile["model_bytes"] / token / 1e6
    return (f"{bits} bits: a token reads {profile['model_bytes'] / 1e6:.0f} MB in {token:.2f} ms, {read:.1f} GB/s of "
            f"{roof:.1f} ({100 * read / roof:.0f} %)")


def started(options, *arguments):
    """What start_time.py prints of a call of the program."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "start_time.py")
    return json.loads(subprocess.run([sys.executable, script, options.pareto, *arguments], stdout=subprocess.PIPE,
                                     check=True).stdout)


def first_token(options, model):
    """From nothing to the first token as the file says it, in a process of its own each time. What comes before main()
    is loading libtorch: a call that asks for the version only takes as long."""
    generate = ["generate", model, "--prompt", "The capital of France is", "--max-tokens", "1", "--threads",
                str(options.threads), "--quiet"]
    asked = [started(options, *generate) for _ in range(options.rounds)]
    empty = statistics.median(started(options, "--version")["first_s"] for _ in range(options.rounds))
    whole = statistics.median(one["first_s"] for one in asked)
    peak = statistics.median(one["peak_bytes"] for one in asked)
    held = json.loads(subprocess.run([options.pareto, "inspect", model, "--json"], stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, check=True).stdout)["bytes"]
    return (f"fp32: the first token {whole:.2f} s after the start, {empty:.2f} s of them before main(); at most "
            f"{peak / 1e6:.0f} MB resident, {held / 1e6:.0f} MB of them weights")


def perplexities(options, model, bits, path, name):
    import gguf_llamacpp_peer as gguf
    text = os.path.join(options.samples, "wikitext2", "test.txt")
    mine = gguf.our_perplexity(options, model, text, recipe=json.dumps(decoder_recipe(bits, True)))
    other = gguf.their_perplexity(options, path, text)
    return (f"{bits} bits: perplexity {mine:.3f} here, {other:.3f} in llama.cpp {name} "
            f"({100 * (mine / other - 1):+.2f} %; {gguf.WINDOWS} windows)")


def decoder(options, work):
    model = os.path.join(options.samples, DECODER)
    options.work = work
    facts = [first_token(options, model)]
    for bits, name in ((8, "Q8_0"), (4, "Q4_0")):
        folder = os.path.join(work, name)
        subprocess.run([options.pareto, "export", model, "--recipe", json.dumps(decoder_recipe(bits, False)), "--format",
                        "gguf", "--out", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        path = os.path.join(folder, "model.gguf")
        ours = Ours(options, work, model, decoder_recipe(bits, True))
        compare(options, f"SmolLM2-135M, prompt of 512, {bits} bits", ours.timed("prompt 512"),
                llama_bench(options, path, "prompt"), f"llama.cpp {name}")
        compare(options, f"SmolLM2-135M, a token of 64, {bits} bits", ours.timed("token 1 64"),
                llama_bench(options, path, "token"), f"llama.cpp {name}")
        alone = Ours(options, work, model, decoder_recipe(bits, True), 1)
        compare(options, f"SmolLM2-135M, prompt of 512, {bits} bits", ours.timed("prompt 512"),
                alone.timed("prompt 512"), "with 1 thread")
        alone.close()
        compare(options, f"SmolLM2-135M, a token of each of 8 texts, {bits} bits", each(ours.timed("batch 8 32"), 8),
                ours.timed("batch 1 32"), "of 1 text")
        facts.append(bandwidth(options, model, bits, ours))
        ours.close()
        facts.append(perplexities(options, model, bits, path, name))
    print("\n" + "\n".join(facts))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", required=True)
    parser.add_argument("--pareto", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--llamacpp", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--models", nargs="*", default=["encoder", "decoder"], choices=["encoder", "decoder"])
    parser.add_argument("--only", default="", help="rows whose name has this regular expression")
    options = parser.parse_args()
    print(f"{options.threads} threads, {options.rounds} rounds in turns; milliseconds, medians.\n")
    print("| what | here | there | there / here [95 %] |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as work:
        for model in options.models:
            {"encoder": encoder, "decoder": decoder}[model](options, work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
