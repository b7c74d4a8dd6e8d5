"""fp32 of this program against transformers + torch, paired and interleaved (A-B-B-A).

Usage: compare_encoder.py BENCH_ENCODER MODEL [sequence 128] [threads 2] [rounds 40]
BENCH_ENCODER is the built tests/bench/bench_encoder; run with a Python that has torch and
transformers. Prints both medians and the median ratio with its 95 % bootstrap interval.
"""
import random
import statistics
import subprocess
import sys
import time

import torch
from transformers import AutoModel


def main():
    program, folder = sys.argv[1], sys.argv[2]
    sequence, threads, rounds = (int(sys.argv[i]) if len(sys.argv) > i else d
                                 for i, d in ((3, 128), (4, 2), (5, 40)))
    torch.set_num_threads(threads)
    model = AutoModel.from_pretrained(folder).eval()
    ids = torch.randint(0, model.config.vocab_size, (1, sequence),
                        generator=torch.Generator().manual_seed(7))
    ours = subprocess.Popen([program, folder, "--serve", str(sequence), str(threads)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run_ours():
        ours.stdin.write("1\n")
        ours.stdin.flush()
        return float(ours.stdout.readline())

    def run_theirs():
        start = time.perf_counter()
        with torch.inference_mode():
            model(input_ids=ids)
        return (time.perf_counter() - start) * 1e3

    for _ in range(3):
        run_ours()
        run_theirs()
    pairs = []
    for i in range(rounds):
        first, second = (run_ours, run_theirs) if i % 2 == 0 else (run_theirs, run_ours)
        a, b = first(), second()
        pairs.append((a, b) if i % 2 == 0 else (b, a))
    ours.stdin.close()
    ours.wait()
    ratios = [theirs / mine for mine, theirs in pairs]
    draws = random.Random(1)
    medians = sorted(statistics.median(draws.choices(ratios, k=len(ratios))) for _ in range(2000))
    print(f"pareto fp32        {statistics.median(p[0] for p in pairs):8.3f} ms")
    print(f"transformers fp32  {statistics.median(p[1] for p in pairs):8.3f} ms")
    print(f"transformers / pareto {statistics.median(ratios):.3f} [{medians[50]:.3f}, {medians[1949]:.3f}]")


if __name__ == "__main__":
    main()
