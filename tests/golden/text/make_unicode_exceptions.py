#!/usr/bin/env python3
"""Where the `tokenizers` package (0.22) and ICU 72 class characters differently.

    make_unicode_exceptions.py OURS > engine/text/unicode_exceptions.h

OURS lists what ICU says, one code point a line: hexadecimal code, then 0 or 1 for control, punctuation,
nonspacing mark, any mark, letter, number, punctuation as a regex has it, then the lower-case mapping
in hexadecimal. The package's BERT parts know an older Unicode, its regexes and its digits a newer one.
"""
import sys

from tokenizers import Regex, normalizers, pre_tokenizers

clean = normalizers.BertNormalizer(True, False, False, False)
strip = normalizers.BertNormalizer(False, False, True, False)
lower, nfd, all_marks = normalizers.Lowercase(), normalizers.NFD(), normalizers.StripAccents()
bert, digits = pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(individual_digits=True)
classes = [pre_tokenizers.Split(Regex(p), "isolated") for p in (r"\p{L}", r"\p{N}", r"\p{P}")]


def alone(splitter, c):
    return any(x[0] == c for x in splitter.pre_tokenize_str("\x01" + c + "\x01"))


def theirs(code):
    c = chr(code)
    text = "a" + c + "b"
    stable = nfd.normalize_str(c) == c
    return [clean.normalize_str(text) == "ab" and code != 0xFFFD, alone(bert, c),
            stable and strip.normalize_str(text) == "ab", stable and all_marks.normalize_str(text) == "ab",
            alone(classes[0], c), alone(classes[1], c), alone(classes[2], c),
            alone(digits, c), lower.normalize_str(c)]


def ranges(codes):
    out = []
    for code in codes:
        if out and out[-1][1] == code - 1:
            out[-1][1] = code
        else:
            out.append([code, code])
    return out


def table(name, comment, codes):
    found = ranges(codes)
    print(f"/// {comment}\ninline constexpr std::array<CodeRange, {len(found)}> {name}{{{{")
    for at in range(0, len(found), 3):
        print("    " + " ".join(f"{{0x{a:X}, 0x{b:X}}}," for a, b in found[at:at + 3]))
    print("}};\n")


def main():
    kept = {"control": [], "punct": [], "mark": [], "anymark": []}
    added = {"punct": [], "letter": [], "number": [], "sign": [], "mark": [], "anymark": [],
             "digit": []}
    lowered = []
    for line in open(sys.argv[1]):
        fields = line.split()
        code = int(fields[0], 16)
        ours = [x == "1" for x in fields[1]]
        ours.append(ours[5])
        known = theirs(code)
        for i, (name, into) in enumerate([("control", None), ("punct", added), ("mark", added),
                                          ("anymark", added), ("letter", added), ("number", added),
                                          ("sign", added), ("digit", added)]):
            if known[i] and not ours[i] and into is not None:
                into[name].append(code)
            if ours[i] and not known[i] and name in kept and nfd.normalize_str(chr(code)) == chr(code):
                kept[name].append(code)
        if "".join(f"{ord(c):08x}" for c in known[8]) != fields[2]:
            lowered.append((code, ord(known[8])))
    print("""#pragma once

#include <array>

// Made by tests/golden/text/make_unicode_exceptions.py.

namespace pareto::text {

struct CodeRange {
    char32_t first;
    char32_t last;
};
struct CodePair {
    char32_t from;
    char32_t to;
};
""")
    table("kControlsKept", "Control or format characters that BERT's cleaning does not know.", kept["control"])
    table("kPunctuationKept", "Punctuation that BERT's splitting does not know.", kept["punct"])
    table("kPunctuationAdded", "What it takes for punctuation, and is none any more.", added["punct"])
    table("kMarksKept", "Nonspacing marks that BERT's accent stripping does not know.", kept["mark"])
    table("kMarksAdded", "What it takes for a nonspacing mark, and is none any more.", added["mark"])
    table("kAnyMarksKept", "Marks that the normalizer StripAccents does not know.", kept["anymark"])
    table("kAnyMarksAdded", "What it takes for a mark, and is none any more.", added["anymark"])
    table("kNewLetters", "Letters newer than ICU 72.", added["letter"])
    table("kNewNumbers", "Numbers newer than ICU 72, to regexes.", added["number"])
    table("kNewDigits", "The same, to the pre-tokenizer Digits.", added["digit"])
    table("kNewPunctuation", "Punctuation newer than ICU 72.", added["sign"])
    print(f"/// Lower-case mappings newer than ICU 72.\n"
          f"inline constexpr std::array<CodePair, {len(lowered)}> kNewLowercase{{{{")
    for at in range(0, len(lowered), 3):
        print("    " + " ".join(f"{{0x{a:X}, 0x{b:X}}}," for a, b in lowered[at:at + 3]))
    print("}};\n\n}  // namespace pareto::text")


main()
