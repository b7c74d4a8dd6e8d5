"""Writes the ids that compression_peers.py gives to everybody: those the program itself takes.

Usage: compression_windows.py MODEL TEXTS CALIBRATION WINDOWS OUT
MODEL is a folder with tokenizer.json, TEXTS one with train.txt and valid.txt; then two numbers of windows. A
program of its own: tokenizing a book takes memory that must not count as that of what is started later.
"""

import json
import os
import sys

LENGTH = 512
MASK = 0xFFFFFFFF


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


class RandomStream:
    """engine/core/random.h in Python: Philox4x32-10, a stream a seed and purpose."""

    def __init__(self, seed, purpose):
        stream = fnv1a(purpose)
        self.key = (seed & MASK, seed >> 32)
        self.counter = [0, 0, stream & MASK, stream >> 32]
        self.block = []

    def refill(self):
        a, b, c, d = self.counter
        first, second = self.key
        for _ in range(10):
            left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
            a, b, c, d = (right >> 32) ^ b ^ first, right & MASK, (left >> 32) ^ d ^ second, left & MASK
            first, second = (first + 0x9E3779B9) & MASK, (second + 0xBB67AE85) & MASK
        self.block = [a, b, c, d]
        self.counter[0] += 1

    def next(self):
        if not self.block:
            self.refill()
        return self.block.pop(0)

    def below(self, bound):
        largest = 0xFFFFFFFFFFFFFFFF
        limit = bound * (largest // bound)
        while True:
            value = (self.next() << 32) | self.next()
            if value < limit:
                return value % bound


def ids_of(folder, path, special):
    from tokenizers import Tokenizer
    with open(path, encoding="utf-8") as file:
        return Tokenizer.from_file(os.path.join(folder, "tokenizer.json")).encode(
            file.read(), add_special_tokens=special).ids


def calibration_windows(folder, path, count, seed=0):
    """`count` windows at random places, as engine/jobs/run/calibration_texts.cpp takes them for a decoder."""
    ids = ids_of(folder, path, False)
    random = RandomStream(seed, "calibration")
    starts = [random.below(len(ids) - LENGTH + 1) for _ in range(count)]
    return [ids[start:start + LENGTH] for start in starts]


def text_windows(folder, path, count):
    """The first `count` disjoint windows, as engine/tasks/windows.cpp cuts them by the protocol "gptq"."""
    ids = ids_of(folder, path, True)
    starts = range(0, len(ids) - LENGTH + 1, LENGTH)
    return [ids[start:start + LENGTH] for start in list(starts)[:count]]


def main():
    model, texts, calibration, windows, out = sys.argv[1:]
    found = {"calibration": calibration_windows(model, os.path.join(texts, "train.txt"), int(calibration)),
             "text": text_windows(model, os.path.join(texts, "valid.txt"), int(windows))}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
