#!/usr/bin/env python3
"""Makes tokenizer folders as people publish them without a tokenizer.json, with what transformers makes
of each as the reference.

    make_models.py CORPUS FOLDER

CORPUS is a text file (WikiText-2's test part will do). FOLDER gets one folder a kind: t5, xlm-roberta,
albert (Unigram), llama, gemma (BPE with bytes), gpt2, roberta, qwen2 (byte-level BPE), each with
reference.json, the tokenizer.json of the fast tokenizer that transformers converts the files to; and bpe,
unigram, whose tokenizer.json holds parts that the others do not use. Needs transformers, tokenizers,
sentencepiece.
"""
import io
import json
import os
import struct
import sys

import sentencepiece
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (AlbertTokenizerFast, GemmaTokenizerFast, GPT2TokenizerFast, LlamaTokenizerFast,
                          Qwen2TokenizerFast, RobertaTokenizerFast, T5TokenizerFast, XLMRobertaTokenizerFast)


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if len(line.strip()) > 20]


def train(texts, path, **options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, minloglevel=2, num_threads=1,
        hard_vocab_limit=False, **options)
    with open(path, "wb") as file:
        file.write(model.getvalue())


def folder(root, name, config):
    path = os.path.join(root, name)
    os.makedirs(path, exist_ok=True)
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    with open(os.path.join(path, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + bytes(4))
    for file_name, content in (("config.json", {}), ("tokenizer_config.json", config)):
        with open(os.path.join(path, file_name), "w", encoding="utf-8") as file:
            json.dump(content, file)
    return path


def reference(tokenizer_class, path):
    tokenizer_class.from_pretrained(path)._tokenizer.save(os.path.join(path, "reference.json"))


def sentencepiece_folders(texts, root, vocabulary=4000):
    unigram = {"model_type": "unigram", "vocab_size": vocabulary, "character_coverage": 0.9995}
    path = folder(root, "t5", {"tokenizer_class": "T5Tokenizer"})
    file = os.path.join(path, "spiece.model")
    train(texts, file, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **unigram)
    reference(T5TokenizerFast, path)

    path = folder(root, "xlm-roberta", {"tokenizer_class": "XLMRobertaTokenizer"})
    file = os.path.join(path, "sentencepiece.bpe.model")
    train(texts, file, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, **unigram)
    reference(XLMRobertaTokenizerFast, path)

    path = folder(root, "albert", {"tokenizer_class": "AlbertTokenizer"})
    file = os.path.join(path, "spiece.model")
    train([t.lower() for t in texts], file, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1,
          control_symbols=["[CLS]", "[SEP]", "[MASK]"], **unigram)
    reference(AlbertTokenizerFast, path)

    bpe = {"model_type": "bpe", "vocab_size": vocabulary, "byte_fallback": True, "character_coverage": 0.999,
           "split_digits": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False,
           "allow_whitespace_only_pieces": True}
    path = folder(root, "llama", {"tokenizer_class": "LlamaTokenizer"})
    file = os.path.join(path, "tokenizer.model")
    train(texts, file, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, **bpe)
    reference(LlamaTokenizerFast, path)
    new = folder(root, "llama-new", {"tokenizer_class": "LlamaTokenizer", "legacy": False, "add_eos_token": True})
    train(texts, os.path.join(new, "tokenizer.model"), unk_id=0, bos_id=1, eos_id=2, pad_id=-1, **bpe)
    reference(LlamaTokenizerFast, new)

    path = folder(root, "gemma", {"tokenizer_class": "GemmaTokenizer"})
    file = os.path.join(path, "tokenizer.model")
    train(texts, file, pad_id=0, eos_id=1, bos_id=2, unk_id=3, add_dummy_prefix=False,
          pad_piece="<pad>", eos_piece="<eos>", bos_piece="<bos>",
          user_defined_symbols=["<start_of_turn>", "<end_of_turn>", "\n\n", "▁▁", "<h1>"], **bpe)
    reference(GemmaTokenizerFast, path)


def byte_level_folders(texts, root):
    for name, kind, make, specials in (
            ("gpt2", "GPT2Tokenizer", GPT2TokenizerFast, ["<|endoftext|>"]),
            ("roberta", "RobertaTokenizer", RobertaTokenizerFast, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]),
            ("qwen2", "Qwen2Tokenizer", Qwen2TokenizerFast, ["<|endoftext|>"])):
        path = folder(root, name, {"tokenizer_class": kind})
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
            vocab_size=4000, special_tokens=specials, show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        tokenizer.model.save(path)
        reference(make, path)


def other_parts(texts, root):
    """Steps that no family above uses, in files of the `tokenizers` package itself."""
    path = folder(root, "unigram", {})
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKC(), normalizers.Replace(Regex(r"[‘’]"), "'"), normalizers.Strip(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first")])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.UnigramTrainer(vocab_size=3000, special_tokens=["<unk>", "<s>", "</s>"],
                                      unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)])
    tokenizer.save(os.path.join(path, "tokenizer.json"))

    path = folder(root, "bpe", {})
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Punctuation("merged_with_previous")])
    trainer = trainers.BpeTrainer(vocab_size=3000, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens(["New York"])
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    tokenizer.save(os.path.join(path, "tokenizer.json"))


def main():
    texts = lines(sys.argv[1])[:4000]
    sentencepiece_folders(texts, sys.argv[2])
    byte_level_folders(texts, sys.argv[2])
    other_parts(texts, sys.argv[2])


if __name__ == "__main__":
    main()
