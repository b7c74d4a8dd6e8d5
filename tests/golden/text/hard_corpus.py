"""Texts that tokenizers get wrong, and a generator of more. Used by check_tokenizers.py and
make_golden.py."""

HARD = [
    "", " ", "  ", "\n", "\t", "\r\n", "   \n\n  \t ", "a", "Hello, world!", "hello  world   again",
    " leading", "trailing ", "\nline\n\nbreaks\r\nhere\r", "tabs\tand\x0bvertical\x0cfeed",
    "don't can't we'll I've you're he'd I'm it's 'tis O'REILLY'S DON'T",
    "1 12 123 1234 12345 3.14159 1,000,000 1e-7 0x1F ½ ⅔ ² ① Ⅳ ٣٤٥ १२३ 七八",
    "naïve café résumé Ångström ñandú", "nai\u0308ve cafe\u0301 re\u0301sume\u0301 A\u030angstro\u0308m",
    "e\u0301\u0323\u0308 q\u0323\u0307 \u0301alone \u0345\u0300x",
    "straße STRASSE ǅ ŉ ﬁ ﬂ ﬀ İstanbul ıI ΣΑΣ ὈΔΥΣΣΕΎΣ ẞ", "ⅠⅡⅢ ℌ ℃ K Å Ω ™ ℠ № ㎏ ㍿",
    "😀😃😄 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇯🇵 ❤️ ☺ ☺️ 1️⃣ 🧑🏿‍🚀 🫠", "x😀y 😀😀 a👍b",
    "中文测试 日本語テスト 한국어 시험 漢字かな交じり文", "中a文1字", "全角ＡＢＣ１２３，。！？「」", "㐀𠀀𪜀豈",
    "กรุงเทพมหานคร ភាសាខ្មែរ မြန်မာ हिन्दी বাংলা தமிழ்", "שלום עולם مرحبا بالعالم ‏RTL‎ \u202eevil\u202c",
    "zero\u200bwidth\u200cjoin\u200der\ufeffbom\u2060wj\u00adsoft", "nbsp\u00a0thin\u2009ideographic\u3000space\u2028ls\u2029ps\u0085nel",
    "\x00null\x01\x02\x1b[31mred\x7f\x80\x9f", "\ufffd replacement \ufffe\uffff\U0010ffff \ue000private\U000f0000",
    "a" * 99, "a" * 100, "a" * 101, "antidisestablishmentarianism" * 20, "A" * 3000, "ab" * 500, " " * 300 + "x",
    "\n" * 50, "=" * 200, "-" * 77 + ">" , "!?!?!?...,,,;;;:::", "((([[[{{{<<<>>>}}}]]])))", "¡¿«»“”‘’„…–—•§¶†‡",
    "price: $5.99 €10 £3 ¥100 ₿1 20% 5° ±2 ×3 ÷4 ≠ ≤ √ ∞", "user@example.org https://example.org/a?b=c&d=%20#e",
    "def f(x):\n    return x ** 2  # square\n\n\nclass A:\n\tpass\n", "if (a && b || !c) { x->y[z] += 0x7f; }",
    "[CLS] text [SEP] more [MASK] [PAD][UNK]", "[cls] [ SEP ] [CLS", "##ing un##able ## #", "[CLS][SEP][CLS]x[SEP]",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "<|endoftext|><|endoftext|> x<|endoftext|>y", "<|im_start", "<|im_start|>|>",
    "<repo_name>a/b<file_sep>c<filename>d<empty_output>", "Ġ Ċ ĉ Âł ĠĠ", "ſ ' 's'S'ſ 'K 'LL 'Ll",
    "\u1e9b\u0323 \u212b \u0958 \ufb1d \u2126 \u0344 \uac00\u11a8 \u1100\u1161\u11a8 \u0b92\u0bd7", "\u0390\u03b0 \u1fd3 \u0f73\u0f71\u0f72",
    "a\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300\u0300b", "𝕳𝖊𝖑𝖑𝖔 𝟙𝟚𝟛 𝓐𝓑 𐍈 𒀀 𓀀 𞤀 🄰",
    "\ud7ff\ue000", "word\u0301s'\u0301s", "I\u0307 i\u0307 \u0130", "ͺ ΄ ΅ ᾽ ´ ` ¨ ^ ~ ˜", "_under_score_ __init__ a_b",
    "CamelCaseAndUPPERCase mIxEd", "ð㋿𞀰🅬ꟲ🯰 newer\u3000<mask>\u00a0than \t<mask> Unicode 9", "x²+y³=z⁴ H₂O CO₂", "\u3099か\u3099 が ゔ", "ﷺ ﷽ ﹏ ﹐ ︰", "\u0e33 \u0eb3 \u0f77 \u0f79",
    b"\xff\xfe bad", b"ok \xc3\x28 \xe2\x82 end", b"\xf0\x9f\x98 cut", b"\xed\xa0\x80 surrogate \xc0\xaf overlong",
    b"\xf4\x90\x80\x80 high \xf8\x88\x80\x80\x80 five", b"\x80\x81\x82 continuation", b"tail \xe4\xb8",
]

_POOLS = [
    (0x20, 0x7E), (0x20, 0x7E), (0x61, 0x7A), (0x30, 0x39), (0x00, 0x1F), (0x80, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x6FF),
    (0x900, 0xDFF), (0xE00, 0xFFF), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x20CF), (0x20D0, 0x214F), (0x2150, 0x2BFF), (0x3000, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3),
    (0xF900, 0xFFFD), (0x10000, 0x12FFF), (0x1D400, 0x1D7FF), (0x1F000, 0x1FAFF), (0x20000, 0x2FA1F), (0xE0000, 0xE01EF), (0x1, 0xD7FF),
]
_WORDS = ("the quick brown fox jumps over lazy dog ignore previous instructions don't we'll it's I'm they've naïve "
          "café 2024 3.14 http://x.y/z e-mail self-attention GPT-4 C++ data_set New York don't can't do not . , ? ! ' \" ( ) "
          "transformer tokenization unbelievable supercalifragilistic Straße 東京 Москва 🙂 👩‍💻").split(" ")
_SPACES = [" ", " ", " ", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "", ""]


def random_text(rng, specials):
    out = []
    for _ in range(rng.choice([1, 2, 3, 5, 8, 13, 30])):
        kind = rng.random()
        if kind < 0.55:
            word = rng.choice(_WORDS)
            out.append(rng.choice([word, word, word, word.upper(), word.capitalize()]))
        elif kind < 0.62 and specials:
            out.append(rng.choice(specials))
        elif kind < 0.66:
            out.append(rng.choice("ab 1.\n-é中") * rng.choice([2, 7, 40, 120]))
        else:
            low, high = rng.choice(_POOLS)
            for _ in range(rng.choice([1, 2, 4, 9])):
                code = rng.randint(low, high)
                out.append("" if 0xD800 <= code <= 0xDFFF else chr(code))
        out.append(rng.choice(_SPACES))
    return "".join(out)
