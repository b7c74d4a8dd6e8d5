"""What sharing costs and gains on one machine: a training step and a task by one process with every core beside N ranks with
a part of the cores each. They take turns (A-B, B-A, …); a ratio is one process's time / the ranks' time.

Usage: ranks_speed.py --pareto PROGRAM --samples FOLDER [--ranks 2] [--rounds 5]
Training: the sample MiniLM on TREC, batches of 32, the median of 50 steps behind 10. Task: the sample classifier on all rows
of its training split, seconds without the start of processes; the accuracies must be the same.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import trec_task


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pareto", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
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

        for name, measure in (("training step", step), ("task", task)):
            found = {"one": [], "ranks": []}
            for number in range(arguments.rounds):
                for kind in sorted(kinds, reverse=number % 2 == 1):
                    found[kind].append(measure(kinds[kind]))
            values = {value for pairs in found.values() for _, value in pairs}
            if len(values) > 1:
                raise SystemExit(f"{name}: the results differ: {values}")
            times = {kind: [time for time, _ in pairs] for kind, pairs in found.items()}
            ratios = sorted(one / ranks for one, ranks in zip(times["one"], times["ranks"]))
            print(f"{name:14} one process, {cores} threads {statistics.median(times['one']):8.0f} ms   "
                  f"{arguments.ranks} ranks, {each} each {statistics.median(times['ranks']):8.0f} ms   "
                  f"ratio {statistics.median(ratios):.2f} [{ratios[0]:.2f} … {ratios[-1]:.2f}]", flush=True)


if __name__ == "__main__":
    main()
