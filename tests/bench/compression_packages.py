"""Published packages behind one face for compression_worker.py: METHODS, load, compress. Each is imported
only when asked for; every one has an environment of its own. All are told the same: groups of 64, asymmetric,
damping 0.01, the given samples in the given order, every linear of the blocks and nothing else. The rest is
as it comes: both AWQs also weigh weights ("duo scaling"), which the paper's formula does not.
"""

import importlib.metadata
import os
import tempfile

GROUP = 64


def load_plain(folder):
    import torch
    from transformers import AutoModelForCausalLM
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    except TypeError:  # transformers before 4.56
        model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32)
    return model.eval()


class LlmCompressor:
    """vLLM's llm-compressor. Its act_order is "static": our storage's kind too. Its AWQ asks for memory
    pinned for a GPU even where there is none, which torch refuses; there it is left unpinned."""

    METHODS = ("gptq", "gptq-act-order", "awq", "sparsegpt", "sparsegpt-2:4", "wanda", "wanda-2:4")
    PACKAGE = "llmcompressor"

    @staticmethod
    def load(folder, method, bits):
        return load_plain(folder)

    @staticmethod
    def recipe(method, bits):
        weights = {"num_bits": bits, "type": "int", "symmetric": False, "strategy": "group",
                   "group_size": GROUP}
        quantized = {"config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}},
                     "ignore": ["lm_head"]}
        if method.startswith("gptq"):
            from llmcompressor.modifiers.gptq import GPTQModifier
            return [GPTQModifier(dampening_frac=0.01, block_size=128,
                                 actorder="static" if method == "gptq-act-order" else None, **quantized)]
        if method == "awq":
            from llmcompressor.modifiers.quantization import QuantizationModifier
            from llmcompressor.modifiers.transform.awq import AWQModifier
            return [AWQModifier(), QuantizationModifier(**quantized)]
        from llmcompressor.modifiers.pruning import SparseGPTModifier, WandaPruningModifier
        modifier, more = (SparseGPTModifier, {"dampening_frac": 0.01, "block_size": 128}) \
            if method.startswith("sparsegpt") else (WandaPruningModifier, {})
        return [modifier(sparsity=0.5, mask_structure="2:4" if method.endswith("2:4") else "0:0",
                         targets=["Linear"], ignore=["re:.*lm_head"], **more)]

    @classmethod
    def compress(cls, model, method, samples, bits):
        import torch
        from datasets import Dataset
        from llmcompressor import oneshot
        if not torch.cuda.is_available():
            torch.Tensor.pin_memory = lambda tensor: tensor
        data = Dataset.from_dict({"input_ids": samples,
                                  "attention_mask": [[1] * len(ids) for ids in samples]})
        oneshot(model=model, dataset=data, recipe=cls.recipe(method, bits), pipeline="sequential",
                max_seq_length=max(map(len, samples)), num_calibration_samples=len(samples),
                shuffle_calibration_samples=False)
        return model


class GptqModel:
    """ModelCloud's GPTQModel. `true_sequential` is off: a block's linears are seen at once, as elsewhere.
    Its AWQ refuses fp32, so it is left out: it would compare precisions."""

    METHODS = ("gptq",)
    PACKAGE = "gptqmodel"

    @staticmethod
    def load(folder, method, bits):
        os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")  # the default of two processors, 1, is refused
        import torch
        from gptqmodel import GPTQModel, QuantizeConfig
        config = QuantizeConfig(bits=bits, group_size=GROUP, sym=False, true_sequential=False, device="cpu",
                                damp_percent=0.01, act_group_aware=False, desc_act=False)
        return GPTQModel.load(folder, config, dtype=torch.float32)

    @staticmethod
    def compress(model, method, samples, bits):
        model.quantize([{"input_ids": ids, "attention_mask": [1] * len(ids)} for ids in samples],
                       batch_size=1)
        return model

    @staticmethod
    def reopen(model, folder):
        """A plain fp32 model with the values of what was written and read again (scales and values are fp16
        then): what stands in memory after quantizing does not compute."""
        import torch
        from gptqmodel import GPTQModel
        plain = load_plain(folder)
        with tempfile.TemporaryDirectory(prefix="pareto-gptqmodel-") as work, torch.inference_mode():
            model.save(work)
            written = GPTQModel.load(work, device="cpu", backend="torch", dtype=torch.float16).model
            for name, part in written.named_modules():
                if hasattr(part, "dequantize_weight"):
                    plain.get_submodule(name).weight.copy_(part.dequantize_weight().T)
        return plain


class AutoAwq:
    """AutoAWQ, the continuation of the authors' code. Its search is used as it is, in fp32; the weights are
    rounded by its own function, but not packed, which would turn everything to half precision. It keeps the
    weights it changes by Tensor.cpu(), which copies from a GPU and does not on the CPU, so that each
    candidate would start from what the one before left: here it copies."""

    METHODS = ("awq",)
    PACKAGE = "autoawq"

    @staticmethod
    def load(folder, method, bits):
        import torch
        from awq import AutoAWQForCausalLM
        return AutoAWQForCausalLM.from_pretrained(folder, device_map="cpu", torch_dtype=torch.float32,
                                                  use_cache=False)

    @staticmethod
    def compress(model, method, samples, bits):
        import torch
        from awq.quantize.quantizer import AwqQuantizer
        torch.Tensor.cpu = lambda tensor: tensor.to("cpu", copy=True)
        with torch.inference_mode():
            quantizer = AwqQuantizer(model, model.model, None, bits, GROUP, True, "gemm", samples, None, None,
                                     True, export_compatible=True, max_calib_samples=len(samples),
                                     max_calib_seq_len=max(map(len, samples)))
            quantizer.quantize()
            for block in model.model.model.layers:
                for part in block.modules():
                    if isinstance(part, torch.nn.Linear):
                        part.weight.copy_(quantizer.pseudo_quantize_tensor(part.weight)[0])
        return model.model


PACKAGES = {package.PACKAGE: package for package in (LlmCompressor, GptqModel, AutoAwq)}


def version(name):
    return importlib.metadata.version(name)
