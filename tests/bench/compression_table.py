"""What compression costs in quality: one table a model, with 95 % intervals paired against the dense model.

Usage: compression_table.py --pareto PROGRAM [--samples FOLDER] [--model KIND] [--only REGEX] [--limit N]
                            [--calibration N] [--out FILE.json]
PROGRAM is the built command line, FOLDER the samples that ./dev setup fetches (default $PARETO_SAMPLES). With
--out each row is kept there as soon as it is known, with the run store beside it (FILE.json.db), and a second
call measures only what is missing; a recipe that the program refused is tried again. Needs no package.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import compression_rows

# kind: (sample, file within it, task, metrics, rows or windows where --limit says none)
MODELS = {
    "decoder": ("smollm2-135m", "SmolLM2-135M-Instruct.Q4_1.gguf", "wikitext2-valid", ["perplexity"], 64),
    "classifier": ("injection-classifier", "", "prompt-injection", ["accuracy"], 0),
    "embedder": ("minilm", "", "trec-fidelity", ["fidelity_spearman", "fidelity_cosine"], 500),
}
LENGTH = 512
DECIMALS = {"perplexity": 3, "fidelity_spearman": 4, "fidelity_cosine": 4}


class Refused(Exception):
    """The program said no; the text is its reason."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pareto", required=True, help="the built command line")
    parser.add_argument("--samples", default=os.environ.get("PARETO_SAMPLES", ""),
                        help="folder of the samples")
    parser.add_argument("--model", choices=[*MODELS, "all"], default="all")
    parser.add_argument("--only", default="", metavar="REGEX", help="rows whose name matches, and dense")
    parser.add_argument("--limit", type=int, default=-1,
                        help="windows or rows (default: 64 windows, all prompts, 500 questions; 0: all)")
    parser.add_argument("--calibration", type=int, default=128, metavar="N",
                        help="samples of 512 tokens (default 128)")
    parser.add_argument("--threads", type=int, default=0, help="that compute (default: every core)")
    parser.add_argument("--similarity", default="", metavar="TASK",
                        help="a similarity task (JSON) for the embedder; no sample has scored pairs, "
                             "so it is otherwise compared with itself untouched")
    parser.add_argument("--out", default="", metavar="FILE.json", help="keep results here, go on from them")
    options = parser.parse_args()
    if not os.path.isdir(options.samples):
        parser.error("--samples or PARETO_SAMPLES must name the folder of the samples")
    return options


class Program:
    """Calls of the command line on one run store."""

    def __init__(self, options, store):
        self.path, self.store, self.threads = options.pareto, store, options.threads
        self.environment = dict(os.environ, PARETO_SAMPLES=os.path.abspath(options.samples))
        self.peak_bytes = 0  # of the last call

    def call(self, *words):
        """The answer as a value; Refused with the program's reason."""
        command = [self.path, *words, "--json", "--quiet"]
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, env=self.environment)
            printed = child.stdout.read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            remarks = said.read().decode(errors="replace").strip()
        self.peak_bytes = usage.ru_maxrss * 1024
        try:
            answer = json.loads(printed)
        except ValueError:
            answer = {}
        if child.returncode != 0:
            error = answer.get("error", {})
            raise Refused(error.get("message") or remarks[-300:] or f"ended with {child.returncode}")
        return answer

    def run(self, model, recipe, task, limit):
        """Measures and keeps; the answer of `pareto run`."""
        words = ["--task", task, "--recipe", json.dumps(recipe), "--no-timing",
                 "--threads", str(self.threads), "--limit", str(limit)]
        return self.call("run", model, *words, "--db", self.store)

    def optimize(self, model, recipe, folder):
        self.call("optimize", model, "--recipe", json.dumps(recipe), "--out", folder)
        return folder

    def difference(self, reference, run, metric):
        """Of two stored runs: the row of `pareto compare` for the metric, or None."""
        answer = self.call("compare", str(reference), str(run), "--db", self.store)
        return next((row for row in answer["differences"] if row["metric"] == metric), None)

    def seconds(self, run):
        """What compressing took, calibration included."""
        shown = self.call("runs", "show", str(run), "--db", self.store)
        record = shown[0] if isinstance(shown, list) else shown
        return record["details"].get("compress", {}).get("seconds", 0.0)


class Results:
    """Rows that are done, in a file where one is named."""

    def __init__(self, path):
        self.path, self.rows = path, {}
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.rows = json.load(file)["rows"]

    def done(self, key):
        row = self.rows.get(key)
        return row if row and "refused" not in row else None

    def keep(self, key, row):
        self.rows[key] = row
        if self.path:
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump({"version": 1, "rows": self.rows}, file, indent=1)
            os.replace(self.path + ".new", self.path)


class Bench:
    """One kind of model: its file, task and rows."""

    def __init__(self, kind, options, program, results):
        sample, file, self.task, self.metrics, usual = MODELS[kind]
        if kind == "embedder" and options.similarity:
            self.task, self.metrics, usual = options.similarity, ["similarity_spearman"], 0
        self.kind, self.program, self.results = kind, program, results
        self.model = os.path.join(options.samples, sample, file).rstrip(os.sep)
        self.limit = usual if options.limit < 0 else options.limit
        self.calibration = {"samples": options.calibration, "length": LENGTH, "seed": 0}
        if kind == "classifier":
            self.calibration["source"] = os.path.join(os.path.abspath(options.samples), "prompt-injection",
                                                      "train.csv") + "#text"

    def key(self, row):
        """Changes with everything that could change the result but the program itself."""
        what = json.dumps([self.kind, self.task, self.limit, self.recipes(row)], sort_keys=True)
        return f"{self.kind}: {row.name}: {hashlib.sha256(what.encode()).hexdigest()[:12]}"

    def recipes(self, row):
        recipes = row.recipes(self.kind, self.calibration)
        if row.name == "dense":
            recipes[0].pop("calibration")
        return recipes

    def measure(self, row, reference):
        """Runs a row. `reference` is the dense model's result, None for itself."""
        recipes = self.recipes(row)
        with tempfile.TemporaryDirectory(prefix="pareto-table-") as work:
            model = self.model
            for number, recipe in enumerate(recipes[:-1]):
                model = self.program.optimize(model, recipe, os.path.join(work, str(number)))
            answer = self.program.run(model, recipes[-1], self.task, self.limit)
        result = {"run": answer["run_id"], "bytes": answer["model_bytes"], "figures": {},
                  "nonzero": answer["nonzero_parameters"],
                  "seconds": self.program.seconds(answer["run_id"])}
        evaluated = answer["eval"]
        for metric in self.metrics:
            figure = evaluated if evaluated["metric"] == metric else evaluated[metric]
            result["figures"][metric] = {name: figure[name] for name in ("value", "ci_low", "ci_high", "n")}
        if reference:
            result["difference"] = self.program.difference(reference["run"], answer["run_id"],
                                                           self.metrics[0])
        return result

    def row(self, row, reference):
        """A row's result, from the file or measured now."""
        key = self.key(row)
        known = self.results.done(key)
        if known:
            return known
        try:
            result = self.measure(row, reference)
        except Refused as reason:
            result = {"refused": str(reason)}
        self.results.keep(key, result)
        return result

    def title(self):
        amount = f"first {self.limit} windows" if self.kind == "decoder" and self.limit else \
            f"{self.limit} rows" if self.limit else "all rows"
        calibrated = "the prompts of train.csv" if self.kind == "classifier" else "WikiText-2's training text"
        length = "windows of 512 tokens" if self.kind == "decoder" else "texts of at most 512 tokens"
        window = ", disjoint, 512 tokens, all but the first scored" if self.kind == "decoder" else ""
        return (f"## {os.path.basename(self.model)}: {', '.join(self.metrics)}\n\n"
                f"Task {os.path.basename(self.task)}, {amount}{window}. Calibration: "
                f"{self.calibration['samples']} {length} of {calibrated}, seed 0. Weights are rounded inside "
                "blocks unless a row says full.\n")


def span(figure, metric, scale=1.0):
    digits = DECIMALS.get(metric, 2)
    return (f"{figure['value'] * scale:.{digits}f} "
            f"[{figure['ci_low'] * scale:.{digits}f}, {figure['ci_high'] * scale:.{digits}f}]")


def paired(difference, metric):
    """The paired difference against the dense model as text: points of accuracy, else per cent."""
    if not difference or not difference.get("ci"):
        return "–"
    low, high = difference["ci"]
    if metric == "accuracy":
        share = difference["a"]
        return f"{difference['delta_points']:+.2f} points [{low * share:+.2f}, {high * share:+.2f}]"
    return f"{difference['delta_pct']:+.2f} % [{low:+.2f}, {high:+.2f}]"


def line(name, result, metrics):
    if "refused" in result:
        return f"| {name} | refused: {result['refused']} |" + " – |" * (len(metrics) + 3)
    figures = [span(result["figures"][metric], metric, 100.0 if metric == "accuracy" else 1.0)
               for metric in metrics]
    return (f"| {name} | " + " | ".join(figures) + f" | {paired(result.get('difference'), metrics[0])} | "
            f"{result['bytes'] / 1e6:.1f} | {result['nonzero'] / 1e6:.1f} | {result['seconds']:.1f} |")


def heading(metrics):
    columns = ["recipe",
               *[f"{metric} [95 %]" + (" in %" if metric == "accuracy" else "") for metric in metrics],
               f"{metrics[0]} against dense, paired [95 %]", "MB held", "M not zero", "s to compress"]
    return "| " + " | ".join(columns) + " |\n|" + "---|" * len(columns)


def table(kind, options, program, results):
    bench = Bench(kind, options, program, results)
    if not os.path.exists(bench.model):
        print(f"skipped: the sample {bench.model} is missing; ./dev setup fetches it")
        return
    print(bench.title())
    print(heading(bench.metrics), flush=True)
    reference = None
    for row in compression_rows.all_rows():
        if kind not in row.only or (row.name != "dense" and not re.search(options.only, row.name)):
            continue
        result = bench.row(row, reference)
        reference = reference or result
        print(line(row.name, result, bench.metrics), flush=True)
    print()


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="pareto-table-") as work:
        store = options.out + ".db" if options.out else os.path.join(work, "runs.db")
        results = Results(options.out if os.path.exists(store) else "")
        results.path = options.out
        for kind in MODELS if options.model == "all" else [options.model]:
            table(kind, options, Program(options, store), results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
