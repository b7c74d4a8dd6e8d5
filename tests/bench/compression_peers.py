"""The program's calibrated methods against independent implementations: perplexity, time and memory.

Usage: compression_peers.py --pareto PROGRAM --compressors FOLDER [--samples FOLDER] [--methods NAME…]
                            [--implementations NAME…] [--calibration N] [--windows N] [--bits N]
                            [--time ROUNDS | --weights] [--model MODEL] [--out FILE.json]
FOLDER --compressors holds an environment a package (./dev bench --peers makes them); the oracle of
compression_oracle.py runs with the Python that runs this (needs torch, transformers, tokenizers).

What is the same for all: the model (dense, exported once as fp32), the ids of the calibration windows (random
places of WikiText-2's training text, drawn here as the program draws them), the windows of the validation
text and what is scored of them; groups of 64, asymmetric, damping 0.01, only linears of blocks. What is not:
the program's perplexity is its own (first line: how near it is to transformers'), each package brings its own
transformers and torch, and where the papers leave freedom each does as it does. Peak memory is the process's
until compressing ends; the program's includes scoring, which a time run keeps to one window.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import compression_rows
from compression_floor import Floor
from compression_statistics import paired_ratio, perplexity
from compression_table import Program, Refused, Results

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.join("smollm2-135m", "SmolLM2-135M-Instruct.Q4_1.gguf")
IMPLEMENTATIONS = ("pareto", "oracle", "llmcompressor", "gptqmodel", "autoawq")
MISSING = 77


def recipes(bits):
    """method: what the program is asked for."""
    grouped = compression_rows.grouped
    return {
        "rtn": {"quantize": grouped(bits, method="rtn")},
        "magnitude": {"prune": compression_rows.half("magnitude")},
        "wanda": {"prune": compression_rows.half("wanda")},
        "wanda-2:4": {"prune": compression_rows.two_of_four("wanda")},
        "sparsegpt": {"prune": compression_rows.half("sparsegpt")},
        "sparsegpt-2:4": {"prune": compression_rows.two_of_four("sparsegpt")},
        "gptq": {"quantize": grouped(bits, method="gptq")},
        "gptq-act-order": {"quantize": grouped(bits, method="gptq", options={"act_order": True})},
        "awq": {"quantize": grouped(bits, **compression_rows.ROUNDERS["awq"])},
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pareto", required=True, help="the built command line")
    parser.add_argument("--compressors", default="", help="folder with an environment a package")
    parser.add_argument("--samples", default=os.environ.get("PARETO_SAMPLES", ""),
                        help="folder of the samples")
    parser.add_argument("--model", default="", help="another decoder of the Llama kind than the sample")
    parser.add_argument("--methods", nargs="*", default=list(recipes(4)), choices=list(recipes(4)))
    parser.add_argument("--implementations", nargs="*", default=list(IMPLEMENTATIONS),
                        choices=IMPLEMENTATIONS)
    parser.add_argument("--calibration", type=int, default=128, metavar="N",
                        help="windows of 512 tokens (default 128)")
    parser.add_argument("--windows", type=int, default=16, metavar="N", help="of 512 scored (default 16)")
    parser.add_argument("--bits", type=int, default=4, help="of quantized weights (default 4)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--time", type=int, default=0, metavar="ROUNDS",
                        help="only compress, one after the other in turns, that often: time and memory")
    parser.add_argument("--weights", action="store_true",
                        help="compare the oracle's weights with the program's")
    parser.add_argument("--out", default="", metavar="FILE.json", help="keep results here, go on from them")
    options = parser.parse_args()
    if not os.path.isdir(options.samples):
        parser.error("--samples or PARETO_SAMPLES must name the folder of the samples")
    return options


class Unavailable(Exception):
    """An implementation cannot do this; the text is the reason."""


class Bench:
    """The model as a folder, the windows, and calls of every implementation."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.program = Program(options, os.path.join(work, "runs.db"))
        model = options.model or os.path.join(options.samples, SAMPLE)
        self.dense = self.program.call("export", model, "--format", "hf", "--out",
                                       os.path.join(work, "dense"))["path"]
        self.windows = os.path.join(work, "windows.json")
        subprocess.check_call([sys.executable, "-B", os.path.join(HERE, "compression_windows.py"), self.dense,
                               os.path.join(options.samples, "wikitext2"), str(options.calibration),
                               str(options.windows), self.windows])

    def measure(self, implementation, method, only_time=False, save=""):
        """{"nats": [[sum, tokens]], "seconds", "peak_bytes"}; Unavailable with the reason."""
        if implementation == "pareto":
            return self.ours(method, 1 if only_time else self.options.windows)
        return self.theirs(implementation, method, only_time, save)

    def recipe(self, method):
        calibration = {"samples": self.options.calibration, "length": 512, "seed": 0}
        defaults = {} if method == "dense" else recipes(self.options.bits)[method]
        return compression_rows.Row(method, defaults).recipes("decoder", calibration)[0]

    def ours(self, method, windows):
        try:
            answer = self.program.run(self.dense, self.recipe(method), "wikitext2-valid", windows)
            peak = self.program.peak_bytes
            record = self.program.call("runs", "show", str(answer["run_id"]), "--db", self.program.store)
        except Refused as reason:
            raise Unavailable(f"refused: {reason}") from None
        record = record[0] if isinstance(record, list) else record
        return {"nats": record["items"]["parts"], "seconds": record["details"]["compress"]["seconds"],
                "peak_bytes": peak, "version": record["versions"]["commit"]}

    def python(self, implementation):
        if implementation in ("dense", "oracle"):
            return sys.executable
        path = os.path.join(self.options.compressors, implementation, "bin", "python")
        if not os.access(path, os.X_OK):
            raise Unavailable("not installed")
        return path

    def theirs(self, implementation, method, only_time, save):
        out = os.path.join(self.work, "result.json")
        command = [self.python(implementation), "-B", os.path.join(HERE, "compression_worker.py"),
                   implementation, method, "--model", self.dense, "--windows", self.windows, "--out", out,
                   "--threads", str(self.options.threads), "--bits", str(self.options.bits)]
        command += ["--no-text"] * only_time + (["--save", save] if save else [])
        environment = dict(os.environ, HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1",
                           PYTHONWARNINGS="ignore", TOKENIZERS_PARALLELISM="false",
                           OMP_NUM_THREADS=str(self.options.threads))
        # Packages leave logs where they stand.
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", env=environment, cwd=self.work, check=False)
        if done.returncode != 0:
            last = (done.stdout.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
            raise Unavailable(last if done.returncode == MISSING else f"failed: {last[:300]}")
        with open(out, encoding="utf-8") as file:
            return json.load(file)


def key(options, implementation, method):
    about = f"{options.calibration}x512, {options.windows} windows, {options.bits} bits"
    model = os.path.abspath(options.model) if options.model else SAMPLE
    return f"{model}: {implementation}: {method}: {about}"


def result(bench, results, implementation, method):
    """From the file or measured now; {"refused": reason} where it cannot be."""
    name = key(bench.options, implementation, method)
    known = results.done(name)
    if known:
        return known
    try:
        measured = bench.measure(implementation, method)
    except Unavailable as reason:
        measured = {"refused": str(reason)}
    results.keep(name, measured)
    return measured


def interval(ratio):
    return f"{(ratio.value - 1) * 100:+.2f} % [{(ratio.low - 1) * 100:+.2f}, {(ratio.high - 1) * 100:+.2f}]"


def quality_line(method, name, measured, ours, dense):
    if "refused" in measured:
        return f"| {method} | {name} | {measured['refused']} | – | – | – | – |"
    against = interval(paired_ratio(ours["nats"], measured["nats"])) if ours and name != "pareto" else "–"
    return (f"| {method} | {name} {measured.get('version', '')} | {perplexity(measured['nats']):.3f} | "
            f"{interval(paired_ratio(dense['nats'], measured['nats']))} | {against} | "
            f"{measured['seconds']:.1f} | {measured['peak_bytes'] / 2**20:.0f} |")


def print_dense(ours, theirs):
    apart = max(abs(a[0] - b[0]) / b[1] for a, b in zip(ours["nats"], theirs["nats"]))
    print(f"Dense: {perplexity(ours['nats']):.4f} here, {perplexity(theirs['nats']):.4f} in transformers; a "
          f"window's mean loss differs by at most {apart:.1e} nats.\n")


def quality(bench, results):
    options = bench.options
    print(f"{options.calibration} × 512 tokens of calibration, {options.windows} × 512 of WikiText-2's "
          f"validation text; quantized weights have {options.bits} bits.")
    dense = result(bench, results, "dense", "dense")
    print_dense(result(bench, results, "pareto", "dense"), dense)
    print("| method | implementation | perplexity | against dense [95 %] | against pareto, paired [95 %] "
          "| s | peak MiB |\n" + "|---" * 7 + "|", flush=True)
    for method in options.methods:
        ours = None
        for name in options.implementations:
            if name not in ("pareto", "oracle") and method not in package_methods()[name]:
                continue
            measured = result(bench, results, name, method)
            if name == "pareto" and "refused" not in measured:
                ours = measured
            print(quality_line(method, name, measured, ours, dense), flush=True)


def package_methods():
    import compression_packages
    return {name: package.METHODS for name, package in compression_packages.PACKAGES.items()}


def timing(bench):
    """Rounds in turns: every implementation once, then again."""
    options, floor = bench.options, Floor(bench.dense, bench.options.threads)
    print(f"Seconds to compress all blocks, {options.calibration} × 512 tokens, {options.threads} threads, "
          f"median of {options.time} in turns [least, most]. Floor: the products' arithmetic at "
          f"{floor.rate / 1e9:.0f} GFLOP/s fp32, measured here.\n\n"
          "| method | implementation | s | peak MiB | floor s | times the floor |\n" + "|---" * 6 + "|",
          flush=True)
    for method in options.methods:
        seconds, peaks, reasons = {}, {}, {}
        for _ in range(options.time):
            for name in options.implementations:
                try:
                    measured = bench.measure(name, method, only_time=True)
                    seconds.setdefault(name, []).append(measured["seconds"])
                    peaks[name] = max(peaks.get(name, 0), measured["peak_bytes"])
                except Unavailable as reason:
                    reasons[name] = reason
        least = floor.seconds(method, options.calibration * 512)
        for name in options.implementations:
            if name in seconds:
                middle = statistics.median(seconds[name])
                span = f"{middle:.1f} [{min(seconds[name]):.1f}, {max(seconds[name]):.1f}]"
                print(f"| {method} | {name} | {span} | {peaks[name] / 2**20:.0f} | {least:.1f} | "
                      f"{middle / least:.2f} |", flush=True)
            else:
                print(f"| {method} | {name} | {reasons[name]} | – | – | – |", flush=True)


def weights(bench):
    """Places that fall alike and the distance of what stays: the oracle's weights and the program's."""
    from compression_weights import compare
    print("\n| method | same zeros | ‖ours − oracle‖ / ‖oracle − dense‖ |\n|---|---|---|")
    for method in bench.options.methods:
        theirs = os.path.join(bench.work, "oracle.safetensors")
        folder = os.path.join(bench.work, "ours-" + method.replace(":", "-"))
        try:
            bench.measure("oracle", method, only_time=True, save=theirs)
            bench.program.optimize(bench.dense, bench.recipe(method), folder)
            zeros, distance = compare(folder, theirs, bench.dense, bench.options.bits)
        except (Unavailable, Refused) as reason:
            print(f"| {method} | {reason} | – |", flush=True)
            continue
        print(f"| {method} | {zeros * 100:.3f} % | {distance:.4f} |", flush=True)


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="pareto-compressors-") as work:
        bench = Bench(options, work)
        if options.time:
            timing(bench)
        elif options.weights:
            weights(bench)
        else:
            quality(bench, Results(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
