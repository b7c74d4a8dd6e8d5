"""One implementation, one method, one model: compresses, and says how long it took, what memory it held and
what the text costs afterwards. compression_peers.py calls it with the Python of the implementation.

Usage: compression_worker.py IMPLEMENTATION METHOD --model FOLDER --windows FILE --out FILE
IMPLEMENTATION is dense, oracle, llmcompressor, gptqmodel or autoawq. FILE --windows is
{"calibration": [[ids]], "text": [[ids]]}. Exit code 77: this implementation has no such method, or its
package cannot be imported.
"""

import argparse
import json
import logging
import os
import resource
import sys
import time
import warnings

import compression_packages

MISSING = 77


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("implementation")
    parser.add_argument("method")
    for name in ("--model", "--windows", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-text", action="store_true", help="only compress")
    parser.add_argument("--save", default="", help="also write the linears' weights here (safetensors)")
    return parser.parse_args()


class Dense:
    """The model as it is."""

    METHODS = ("dense",)

    @staticmethod
    def compress(model, method, samples, bits):
        return model


def implementation(name):
    """What has METHODS and compress(model, method, samples, bits)."""
    if name == "dense":
        return Dense
    if name == "oracle":
        import compression_oracle
        return compression_oracle
    return compression_packages.PACKAGES[name]


def nats(model, windows):
    """[sum of −log p, tokens scored] a window: all tokens but the first."""
    import torch
    out = []
    with torch.inference_mode():
        for ids in windows:
            batch = torch.tensor([ids])
            logits = model(input_ids=batch).logits[0, :-1].float()
            loss = torch.nn.functional.cross_entropy(logits, batch[0, 1:], reduction="none")
            out.append([float(loss.double().sum()), len(ids) - 1])
    return out


def peak_bytes():
    """Of this process. (The caller's must be below it: ru_maxrss begins with what the caller held.)"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def save_linears(model, path):
    from safetensors.torch import save_file
    save_file({name: value.contiguous().float() for name, value in model.state_dict().items()
               if name.endswith("_proj.weight")}, path)


def work(options):
    import torch
    torch.set_num_threads(options.threads)
    with open(options.windows, encoding="utf-8") as file:
        windows = json.load(file)
    used = implementation(options.implementation)
    if options.method not in used.METHODS:
        print(f"{options.implementation} has no {options.method}")
        sys.exit(MISSING)
    package = getattr(used, "PACKAGE", "")
    model = used.load(options.model, options.method, options.bits) if package else \
        compression_packages.load_plain(options.model)
    result = {"loaded_bytes": peak_bytes()}
    start = time.monotonic()
    model = used.compress(model, options.method, windows["calibration"], options.bits)
    result["seconds"] = time.monotonic() - start
    result["peak_bytes"] = peak_bytes()
    if hasattr(used, "reopen"):
        model = used.reopen(model, options.model)
    if options.save:
        save_linears(model, options.save)
    result["nats"] = [] if options.no_text else nats(model, windows["text"])
    result["version"] = compression_packages.version(package or "torch")
    return result


def main():
    options = parse_arguments()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    try:
        result = work(options)
    except ImportError as problem:
        print(f"{options.implementation} cannot be imported: {problem}")
        return MISSING
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump(result, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
