#!/usr/bin/env python3
"""Runs every tests/peers/*_peer.py: each compares the program with other people's.

A script gets --pareto PROGRAM, --samples FOLDER, --llamacpp FOLDER (llama.cpp's programs) and --work
FOLDER (empty, removed afterwards). It
exits 0 when all agrees, 77 when something it needs is missing (it says what), anything else when
something differs. A script with the line "# peers: newest too" also runs with the folder --newest first
on Python's path, which holds the newest release of transformers.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pareto", required=True, help="the built command line")
    parser.add_argument("--samples", required=True, help="folder of the sample models")
    parser.add_argument("--newest", default="", help="folder with the newest transformers")
    parser.add_argument("--llamacpp", default="", help="folder of llama.cpp's programs")
    parser.add_argument("names", nargs="*", help="only scripts whose name contains one of these")
    return parser.parse_args()


def scripts(names):
    for file in sorted(os.listdir(HERE)):
        if file.endswith("_peer.py") and (not names or any(name in file for name in names)):
            yield os.path.join(HERE, file)


def variants(script, newest):
    """(what is added to the name, folder that goes first on Python's path)"""
    yield "", ""
    with open(script, encoding="utf-8") as file:
        wants_newest = any(line.strip() == "# peers: newest too" for line in file)
    if newest and wants_newest:
        yield " (newest)", newest


def run_one(script, path, options):
    environment = dict(os.environ, HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1",
                       TOKENIZERS_PARALLELISM="false", PYTHONWARNINGS="ignore")
    if path:
        environment["PYTHONPATH"] = path
    with tempfile.TemporaryDirectory(prefix="pareto-peer-") as work:
        command = [sys.executable, "-B", script, "--pareto", options.pareto,
                   "--samples", options.samples, "--llamacpp", options.llamacpp, "--work", work]
        return subprocess.call(command, env=environment)


def main():
    options = parse_arguments()
    if not os.access(options.pareto, os.X_OK):
        print(f"There is no program {options.pareto}.")
        return 1
    counts = {"passed": 0, "skipped": 0, "failed": 0}
    for script in scripts(options.names):
        for suffix, path in variants(script, options.newest):
            name = os.path.basename(script)[:-len("_peer.py")] + suffix
            print(f"---- {name}", flush=True)
            start = time.monotonic()
            code = run_one(script, path, options)
            result = {0: "passed", SKIPPED: "skipped"}.get(code, "failed")
            counts[result] += 1
            print(f"---- {name}: {result} in {time.monotonic() - start:.1f} s", flush=True)
    print("Comparisons: " + ", ".join(f"{count} {result}" for result, count in counts.items()))
    return 1 if counts["failed"] or not sum(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
