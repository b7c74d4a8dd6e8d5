"""Makes the exports of other programs that tst_exports opens, from the tiny checkpoints in ../models:
CTranslate2 (its own converter), ONNX (optimum's exporter, onnxruntime's quantizers) and Marian's .npz (the
inverse of transformers' convert_marian_to_pytorch.py).

    pip install --no-deps --target DIR ctranslate2 pyyaml optimum==2.0.0 optimum-onnx==0.0.3 onnxscript onnx_ir
    PYTHONPATH=DIR python make_exports.py
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import transformers
from ctranslate2.converters import TransformersConverter
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from optimum.exporters.onnx import main_export
from safetensors.numpy import load_file

HERE = Path(__file__).parent
MODELS = HERE.parent / "models"

CTRANSLATE2 = {
    "tiny_bert": "int8", "encoders/distilbert_bare": "float16", "encoders/roberta_bare": "float32",
    "decoders/gpt2": "int16", "decoders/llama_bias": "int8_float32", "decoders/mistral": "bfloat16",
    "decoders/qwen2": "int8", "tiny_t5": "float32", "tiny_t5_gated": "int8", "tiny_marian": "int8_float32",
}
ONNX = {"tiny_bert": "text-classification", "encoders/distilbert_bare": "feature-extraction",
        "encoders/mpnet_bare": "feature-extraction", "decoders/gpt2": "text-generation",
        "decoders/qwen3": "text-generation", "tiny_llama": "text-generation", "tiny_t5": "text2text-generation"}


class Words:
    """What the converter asks of a tokenizer; the tiny models have none."""

    unk_token, bos_token, eos_token, pad_token = "t3", "t1", "t2", "t0"

    def __init__(self, size):
        self.size = size

    def get_vocab(self):
        return {f"t{i}": i for i in range(self.size)}

    def convert_ids_to_tokens(self, number):
        return f"t{number}"


class Converter(TransformersConverter):
    def load_tokenizer(self, tokenizer_class, path, **kwargs):
        config = transformers.AutoConfig.from_pretrained(path)
        # Marian's padding token is no word of its vocabulary.
        return Words(config.vocab_size - (config.model_type == "marian"))


def ctranslate2():
    for name, kind in CTRANSLATE2.items():
        Converter(str(MODELS / name)).convert(str(HERE / "ctranslate2" / Path(name).name), quantization=kind,
                                              force=True)


def small(path):
    """Without the texts that say where in transformers each node comes from."""
    model = onnx.load(path)
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.save(model, path)


def onnx_exports():
    for name, task in ONNX.items():
        target = HERE / "onnx" / Path(name).name
        with tempfile.TemporaryDirectory() as folder:
            main_export(str(MODELS / name), folder, task=task, do_validation=False)
            target.mkdir(parents=True, exist_ok=True)
            for file in Path(folder).glob("*.onnx"):
                shutil.copy(file, target)
                small(target / file.name)
        shutil.copy(MODELS / name / "config.json", target)
    source = HERE / "onnx" / "tiny_bert" / "model.onnx"
    for name, kind, channel in (("int8", QuantType.QInt8, True), ("uint8", QuantType.QUInt8, False)):
        target = HERE / "onnx" / f"tiny_bert_{name}"
        target.mkdir(exist_ok=True)
        # No config.json: the sizes come from the file.
        quantize_dynamic(source, target / "model.onnx", weight_type=kind, per_channel=channel)
    model = onnx.load(source)
    target = HERE / "onnx" / "external"
    target.mkdir(exist_ok=True)
    (target / "weights.data").unlink(missing_ok=True)
    onnx.save(model, target / "model.onnx", save_as_external_data=True, location="weights.data",
              size_threshold=256)


class Batches(CalibrationDataReader):
    """A few inputs for the ranges of activations."""

    def __init__(self):
        rows = np.random.default_rng(5).integers(3, 40, (4, 1, 8))
        self.left = [{"input_ids": r, "token_type_ids": r * 0, "attention_mask": r * 0 + 1} for r in rows]

    def get_next(self):
        return self.left.pop() if self.left else None


def quantize_dequantize():
    """QDQ nodes around every multiplication, as static quantization writes them."""
    target = HERE / "onnx" / "tiny_bert_qdq"
    target.mkdir(exist_ok=True)
    quantize_static(HERE / "onnx" / "tiny_bert" / "model.onnx", target / "model.onnx", Batches(),
                    quant_format=QuantFormat.QDQ, per_channel=True, weight_type=QuantType.QInt8,
                    activation_type=QuantType.QUInt8)
    small(target / "model.onnx")


def wrapped():
    """tiny_t5 as a module of one's own exports it that holds the model as self.m and its encoder as self.enc."""
    target = HERE / "onnx" / "tiny_t5_wrapped"
    target.mkdir(exist_ok=True)
    for file, around in (("encoder_model.onnx", "enc"), ("decoder_model.onnx", "m")):
        model = onnx.load(HERE / "onnx" / "tiny_t5" / file)
        own = {i.name: f"{around}.{i.name}" for i in model.graph.initializer if i.name.endswith("weight")}
        for tensor in model.graph.initializer:
            tensor.name = own.get(tensor.name, tensor.name)
        for node in model.graph.node:
            node.input[:] = [own.get(name, name) for name in node.input]
            node.name = f"/{around}{node.name}" if node.name.startswith("/") else node.name
        onnx.save(model, target / file)
    shutil.copy(HERE / "onnx" / "tiny_t5" / "config.json", target)


MARIAN = {"self_attn.q_proj.weight": "self_Wq", "self_attn.k_proj.weight": "self_Wk",
          "self_attn.v_proj.weight": "self_Wv", "self_attn.out_proj.weight": "self_Wo",
          "self_attn.q_proj.bias": "self_bq", "self_attn.k_proj.bias": "self_bk",
          "self_attn.v_proj.bias": "self_bv", "self_attn.out_proj.bias": "self_bo",
          "self_attn_layer_norm.weight": "self_Wo_ln_scale", "self_attn_layer_norm.bias": "self_Wo_ln_bias",
          "fc1.weight": "ffn_W1", "fc1.bias": "ffn_b1", "fc2.weight": "ffn_W2", "fc2.bias": "ffn_b2",
          "final_layer_norm.weight": "ffn_ffn_ln_scale", "final_layer_norm.bias": "ffn_ffn_ln_bias",
          "encoder_attn.q_proj.weight": "context_Wq", "encoder_attn.k_proj.weight": "context_Wk",
          "encoder_attn.v_proj.weight": "context_Wv", "encoder_attn.out_proj.weight": "context_Wo",
          "encoder_attn.q_proj.bias": "context_bq", "encoder_attn.k_proj.bias": "context_bk",
          "encoder_attn.v_proj.bias": "context_bv", "encoder_attn.out_proj.bias": "context_bo",
          "encoder_attn_layer_norm.weight": "context_Wo_ln_scale",
          "encoder_attn_layer_norm.bias": "context_Wo_ln_bias"}


def marian():
    """The same numbers as Marian would keep: matrices the other way round, vectors as one row."""
    state = load_file(MODELS / "tiny_marian" / "model.safetensors")
    config = json.loads((MODELS / "tiny_marian" / "config.json").read_text())
    arrays = {"Wemb": state["model.shared.weight"][:-1],
              "decoder_ff_logit_out_b": state["final_logits_bias"][:, :-1]}
    for name, value in state.items():
        parts = name.split(".", 4)
        if len(parts) == 5 and parts[2] == "layers":
            key = f"{parts[1]}_l{int(parts[3]) + 1}_{MARIAN[parts[4]]}"
            arrays[key] = np.ascontiguousarray(value.T) if value.ndim == 2 else value[None]
    settings = {"type": "transformer", "dim-vocabs": None, "dim-emb": config["d_model"],
                "enc-depth": config["encoder_layers"], "dec-depth": config["decoder_layers"],
                "transformer-heads": config["encoder_attention_heads"],
                "transformer-dim-ffn": config["encoder_ffn_dim"],
                "transformer-ffn-activation": config["activation_function"],
                "transformer-ffn-depth": 2, "transformer-preprocess": '""', "transformer-postprocess": "dan",
                "transformer-postprocess-emb": "d", "transformer-train-position-embeddings": "false",
                "tied-embeddings-all": "true", "layer-normalization": "false"}
    lines = [f"{k}:\n  - 71\n  - 71" if v is None else f"{k}: {v}" for k, v in settings.items()]
    arrays["special:model.yml"] = np.frombuffer(("\n".join(lines) + "\n\0").encode(), np.int8)
    (HERE / "marian").mkdir(exist_ok=True)
    np.savez(HERE / "marian" / "model.npz", **arrays)


if __name__ == "__main__":
    ctranslate2()
    onnx_exports()
    quantize_dequantize()
    wrapped()
    marian()
