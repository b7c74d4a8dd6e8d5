"""What sharing costs and gains on one machine: a training step, a task, and a model in parts (tensor parallel) by one process
with every core beside N ranks with a part of the cores each. They take turns (A-B, B-A, …); a ratio is one process's time / the
ranks' time.

Usage: ranks_speed.py --pareto PROGRAM --samples FOLDER [--llamacpp FOLDER] [--ranks 2] [--rounds 5] [--others CORES]
Training: the sample MiniLM on TREC, batches of 32, the median of 50 steps behind 10. Task: the sample classifier on all rows
of its training split, seconds without the start of processes; the accuracies must be the same. Parts: the medians that `pareto
bench` gives for 1×128 tokens of the sample MiniLM, and for a prompt of 128 tokens and 32 further ones of the sample SmolLM2
(fp32), with the share of the ranks' time that went into exchanging sums, and of that into waiting for each other. Rpc: the same
of SmolLM2 in two processes of one thread each, tensor and pipeline parallel, beside llama.cpp's RPC backend on this machine (the
same weights in fp32, its keys and values in fp16); both beside one process of two threads. All take turns; a ratio is of the same
engine's one process.
"""

import argparse
import json
import math
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import llamacpp_rpc
import trec_task

PROMPT, GENERATE = 128, 32
PATIENCE = 600  # seconds that a turn is tried for while other programs compute


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pareto", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--llamacpp", help="a folder with llama-bench and ggml-rpc-server, for rpc")
    parser.add_argument("--others", type=float, default=math.inf,
                        help="rpc: do a turn again where other programs kept more than so many cores busy (up to 10 minutes)")
    measured = ["training", "task", "parts", "rpc"]
    parser.add_argument("--only", nargs="*", default=measured, choices=measured)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    each = max(1, cores // arguments.ranks)
    kinds = {"one": ["--threads", str(cores)], "ranks": ["--threads", str(each), "--ranks", str(arguments.ranks)]}
    samples = pathlib.Path(arguments.samples).resolve()

    def pareto(folder, *words):
        # A training that is kept would be answered without a step.
        environment = os.environ | {"XDG_CACHE_HOME": tempfile.mkdtemp(dir=folder)}
        command = [arguments.pareto, *words, "--json", "--quiet"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)

    def report(name, times, ratios):
        print(f"{name:14} one process, {cores} threads {statistics.median(times['one']):8.1f} ms   "
              f"{arguments.ranks} ranks, {each} each {statistics.median(times['ranks']):8.1f} ms   "
              f"ratio {statistics.median(ratios):.2f} [{ratios[0]:.2f} … {ratios[-1]:.2f}]", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        trec = trec_task.make(arguments.samples, folder)
        rows = json.dumps({"kind": "classification", "data": str(samples / "prompt-injection"), "format": "csv",
                           "split": "train", "max_length": 128})

        def step(more):
            points = pareto(folder, "train", str(samples / "minilm"), "--task", trec, "--steps", "60", "--batch-size", "32",
                            "--db", folder + "/runs.db", *more)["recover"][0]["points"]
            return 32000 / statistics.median(point["examples_per_second"] for point in points[10:]), None

        def task(more):
            found = pareto(folder, "eval", str(samples / "injection-classifier"), "--task", rows, *more)
            return found["seconds"] * 1000, found["value"]

        chosen = {"training": ("training step", step), "task": ("task", task)}
        for name, measure in (chosen[kind] for kind in chosen if kind in arguments.only):
            found = {"one": [], "ranks": []}
            for number in range(arguments.rounds):
                for kind in sorted(kinds, reverse=number % 2 == 1):
                    found[kind].append(measure(kinds[kind]))
            values = {value for pairs in found.values() for _, value in pairs}
            if len(values) > 1:
                raise SystemExit(f"{name}: the results differ: {values}")
            times = {kind: [time for time, _ in pairs] for kind, pairs in found.items()}
            ratios = sorted(one / ranks for one, ranks in zip(times["one"], times["ranks"]))
            report(name, times, ratios)

        waits = []

        def bench(model, keys, more):
            found = pareto(folder, "bench", str(samples / model), "--no-paired", "--min-seconds", "2", "--min-iterations", "5",
                           "--prompt", str(PROMPT), "--generate", str(GENERATE), *more)
            for part in found.get("parts", []):
                waits.append((part["sums"] / part["seconds"], part["waiting"] / part["seconds"]))
            return [found["latency_ms"]["p50"] if key == "latency_ms" else found[key] for key in keys], found.get("parts", [])

        parts = {"one": kinds["one"], "ranks": ["--threads", str(each), "--tp", str(arguments.ranks)]}
        for model, keys, names in () if "parts" not in arguments.only else (("minilm", ["latency_ms"], ["MiniLM 1×128"]),
                                   ("smollm2-135m", ["first_token_ms", "token_ms"], ["SmolLM2 prompt", "SmolLM2 token"])):
            found = {"one": [], "ranks": []}
            waits.clear()
            for number in range(arguments.rounds):
                for kind in sorted(parts, reverse=number % 2 == 1):
                    found[kind].append(bench(model, keys, parts[kind])[0])
            for i, name in enumerate(names):
                times = {kind: [values[i] for values in rounds] for kind, rounds in found.items()}
                report(name, times, sorted(one / ranks for one, ranks in zip(times["one"], times["ranks"])))
            print(f"{'':14} of the ranks' time {100 * statistics.mean(sums for sums, _ in waits):.1f} % in sums, "
                  f"{100 * statistics.mean(wait for _, wait in waits):.1f} % waiting in them", flush=True)

        if "rpc" in arguments.only:
            keys = ["first_token_ms", "token_ms"]
            beside_rpc(arguments, folder, pareto, lambda more: bench("smollm2-135m", keys, more))


def seconds_of_all():
    """What all processes of this machine have computed, but this one's that ended."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, interrupts, soft = (int(word) for word in file.readline().split()[1:8])
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK") - own.ru_utime - own.ru_stime


def undisturbed(run, most):
    """What `run` gives and how many cores other programs kept busy meanwhile; again while these are more than `most`."""
    deadline = time.monotonic() + PATIENCE
    while True:
        before = seconds_of_all(), time.monotonic()
        found = run()
        share = (seconds_of_all() - before[0]) / (time.monotonic() - before[1])
        if share <= most or time.monotonic() > deadline:
            return found, share
        quiet = False
        while not quiet and time.monotonic() < deadline:
            start = seconds_of_all()
            time.sleep(5)
            quiet = (seconds_of_all() - start) / 5 <= most


def beside_rpc(arguments, folder, pareto, bench):
    """Two processes of one thread beside one of two, here and in llama.cpp."""
    def ours(threads, *more):
        return lambda: bench(["--threads", str(threads), *more])

    def theirs(threads, layout):
        return lambda: (llamacpp_rpc.bench(arguments.llamacpp, model, threads, layout, PROMPT, GENERATE), [])

    contestants = {"one process": ours(2), "tp 2": ours(1, "--tp", "2"), "pp 2": ours(1, "--pp", "2")}
    base = dict.fromkeys(contestants, "one process")
    reason = llamacpp_rpc.missing(arguments.llamacpp)
    if reason is None:
        out = os.path.join(folder, "gguf")
        model = os.path.join(out, "model.gguf")
        pareto(folder, "export", str(pathlib.Path(arguments.samples) / "smollm2-135m"), "--format", "gguf:f32", "--out", out)
        layouts = {"llama.cpp, one process": theirs(2, None)}
        layouts |= {"llama.cpp, " + layout: theirs(1, layout) for layout in llamacpp_rpc.LAYOUTS}
        contestants |= layouts
        base |= dict.fromkeys(layouts, "llama.cpp, one process")
    found = {name: [] for name in contestants}
    parts = {name: [] for name in contestants}
    others = []
    for number in range(arguments.rounds):
        for name in list(contestants)[:: -1 if number % 2 == 1 else 1]:
            (values, did), share = undisturbed(contestants[name], arguments.others)
            others.append(share)
            print(f"round {number + 1}, {name}: {values[0]:.1f} ms, {values[1]:.1f} ms a token; others {share:.2f} cores",
                  file=sys.stderr, flush=True)
            found[name].append(values)
            parts[name] += did
    print(f"SmolLM2 in fp32, {PROMPT} tokens and {GENERATE} further ones: one process of 2 threads, several of 1 each")
    for name in contestants:
        columns = [f"{name:44}"]
        for i, what in enumerate(("prompt", "token")):
            ratios = sorted(one[i] / values[i] for one, values in zip(found[base[name]], found[name]))
            ratio = f"ratio {statistics.median(ratios):.2f} [{ratios[0]:.2f} … {ratios[-1]:.2f}]" if name != base[name] else ""
            columns.append(f"{what} {statistics.median(values[i] for values in found[name]):7.1f} ms {ratio:24}")
        if parts[name]:
            shares = [statistics.mean(sum(part[key] for key in keys) / part["seconds"] for part in parts[name])
                      for keys in (("sums", "handing"), ("waiting",))]
            columns.append(f"{100 * shares[0]:.0f} % of the time exchanging, {100 * shares[1]:.0f} % waiting")
        print(" ".join(columns).rstrip(), flush=True)
    print(f"Other programs kept {statistics.mean(others):.2f} cores busy meanwhile, at most {max(others):.2f} during one turn")
    if reason is not None:
        print(f"llama.cpp's RPC backend is left out: {reason}")


if __name__ == "__main__":
    main()
