"""What the scripts of this folder share: their arguments, calls of the program, comparisons."""

import argparse
import json
import os
import subprocess
import sys

import numpy


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("--pareto", "--samples", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--llamacpp", default="")
    return parser.parse_args()


def sample(options, name):
    """The path of a sample; ends the script as skipped when it is missing."""
    path = os.path.join(options.samples, name)
    if not os.path.exists(path):
        print(f"skipped: the sample {name} is missing; ./dev setup fetches it")
        sys.exit(77)
    return path


def llamacpp(options, program, *words):
    """Calls a program of llama.cpp and answers all it printed; ends the script as skipped without it."""
    path = os.path.join(options.llamacpp, program)
    if not options.llamacpp or not os.access(path, os.X_OK):
        print(f"skipped: llama.cpp's {program} is missing; ./dev test --peers builds it")
        sys.exit(77)
    done = subprocess.run([path, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        print(f"{path} {' '.join(words)}\nended with {done.returncode}: {done.stderr[-2000:]}")
        sys.exit(1)
    return done


def pareto(options, *words):
    """Calls the program with --json and answers what it printed."""
    command = [options.pareto, *words, "--json", "--quiet"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(f"{' '.join(command)}\nended with {done.returncode}: {done.stdout.strip()}")
        sys.exit(1)
    return json.loads(done.stdout)


def succeeds(options, *words):
    """Whether a call of the program ends well."""
    command = [options.pareto, *words, "--json", "--quiet"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def text_file(options, texts):
    """A file with a text a line, for the subcommands that read one."""
    path = os.path.join(options.work, "texts.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(text + "\n" for text in texts)
    return path


def embed(options, model, texts, *words):
    """The program's embeddings, one row a text."""
    answer = pareto(options, "embed", model, "--file", text_file(options, texts), *words)
    return numpy.array(answer["vectors"], dtype=numpy.float64)


def agree(what, difference, limit):
    """Says how far apart the two are and whether that is near enough."""
    fine = difference <= limit  # a NaN is not
    print(f"{what}: largest difference {difference:.3g}, limit {limit:g}: {'ok' if fine else 'NO'}")
    return fine
