"""llama.cpp in several processes of one machine: llama-bench and ggml-rpc-server, each with one thread. Two ways to lay a model
out: whole layers one behind the other ("layers"), or each layer's matrices in parts ("tensors", llama.cpp's -sm tensor)."""

import contextlib
import ctypes
import json
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

PROGRAMS = ("llama-bench", "ggml-rpc-server")
STARTS_WITHIN = 20  # seconds
# SmolLM2-135M: the last 11 blocks and the tied head hold as many weights as the first 19 blocks.
FIRST, LAST = 19, 12
LAYOUTS = {
    "rpc: layers here and in 1 server": (1, ["-ngl", str(LAST)]),
    "rpc: layers in 2 servers": (2, ["-ngl", "99", "-ts", f"{FIRST}/{LAST}"]),
    "rpc: tensors in 2 servers": (2, ["-ngl", "99", "-sm", "tensor", "-ts", "1/1"]),
}


def missing(folder):
    """What is not there, or nothing."""
    if folder is None:
        return "no --llamacpp FOLDER was given"
    absent = [name for name in PROGRAMS if not (pathlib.Path(folder) / name).is_file()]
    return f"{folder} has no {absent[0]}" if absent else None


def dies_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def servers(folder, count, threads):
    """`count` servers that only this machine reaches; their addresses as --rpc takes them."""
    with contextlib.ExitStack() as cleanup:
        addresses = []
        with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
            for _ in range(count):
                with socket.socket() as free:
                    free.bind(("127.0.0.1", 0))
                    port = free.getsockname()[1]
                process = subprocess.Popen([pathlib.Path(folder) / "ggml-rpc-server", "-H", "127.0.0.1", "-p", str(port), "-t",
                                            str(threads)], stdout=log, stderr=log, preexec_fn=dies_with_parent)
                cleanup.callback(process.wait)
                cleanup.callback(process.kill)
                deadline = time.monotonic() + STARTS_WITHIN
                while not listening(port):
                    if process.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        raise SystemExit(f"ggml-rpc-server does not listen on 127.0.0.1:{port}: {log.read()}")
                    time.sleep(0.05)
                addresses.append(f"127.0.0.1:{port}")
            yield ",".join(addresses)


def bench(folder, model, threads, layout, prompt, generate):
    """Medians of five: milliseconds of the prompt, and of a token behind it."""
    count, more = LAYOUTS[layout] if layout is not None else (0, ["-ngl", "0"])
    out = []
    with servers(folder, count, threads) as addresses:
        where = ["--rpc", addresses] if count else []
        command = [pathlib.Path(folder) / "llama-bench", "-m", model, "-t", str(threads), "-r", "5", "-o", "json", *where, *more]
        behind = ["-p", "0", "-n", str(generate), "-d", str(prompt)]
        for sizes, tokens in ((["-p", str(prompt), "-n", "0"], 1), (behind, generate)):
            done = subprocess.run([*command, *sizes], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                raise SystemExit(f"llama-bench: {done.stderr}")
            samples = sorted(json.loads(done.stdout)[0]["samples_ns"])
            out.append(samples[len(samples) // 2] / 1e6 / tokens)
    return out
