"""The texts of corpus.json: the same in tests/engine/text/corpus.h, so that 10,000 of them need no file.

A golden file holds one hash for every ten texts: FNV-1a (64 bits) over what the reference makes of them.
"""
import json
import os

BLOCK = 10
COUNT = 10_000


class Corpus:
    def __init__(self, specials, seed):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus.json"), encoding="utf-8") as file:
            self.parts = json.load(file)
        self.specials = specials
        self.state = seed

    def below(self, limit):
        """SplitMix64."""
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return (z ^ (z >> 31)) % limit

    def pick(self, name):
        return self.parts[name][self.below(len(self.parts[name]))]

    def text(self):
        out = []
        for _ in range(self.pick("lengths")):
            kind = self.below(100)
            if kind < 55:
                out.append(self.pick("words"))
            elif kind < 62 and self.specials:
                out.append(self.specials[self.below(len(self.specials))])
            elif kind < 66:
                out.append(self.pick("repeated") * self.pick("times"))
            else:
                low, high = self.pick("pools")
                for _ in range(self.pick("counts")):
                    code = low + self.below(high - low + 1)
                    out.append("" if 0xD800 <= code <= 0xDFFF else chr(code))
            out.append(self.pick("spaces"))
        return "".join(out)


def fnv(data, start=0xCBF29CE484222325):
    for byte in data:
        start = ((start ^ byte) * 0x100000001B3) & ((1 << 64) - 1)
    return start


def line(ids, offsets, decoded):
    """What is hashed of one text."""
    return (",".join(map(str, ids)) + "|" + ",".join(f"{a}-{b}" for a, b in offsets) + "|" + decoded + "\n").encode("utf-8")
