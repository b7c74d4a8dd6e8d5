#!/usr/bin/env python3
"""Writes torch_<kind>.bin beside this file, each with torch.save, and torch_<kind>.safetensors with the same
tensors under the names our reader gives them. Kinds: the zip archive, the format before torch 1.6, pickle
protocol 4, a trainer's checkpoint, every dtype. torch_evil_<kind>.bin hold pickles that would run something
if they were unpickled by Python: make the file pareto-canary in the working folder."""
import builtins
import collections
import os
import pickle

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))


def write(kind, saved, tensors, **options):
    path = os.path.join(HERE, f"torch_{kind}.bin")
    torch.save(saved, path, **options)
    # safetensors neither shares storage nor keeps views.
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()},
              path.replace(".bin", ".safetensors"))


class Runs:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def main():
    generator = torch.Generator().manual_seed(3)
    table = torch.randn(6, 4, generator=generator)
    state = collections.OrderedDict()
    state["embed.weight"] = table
    state["head.weight"] = table  # tied: one storage
    state["layer.0.weight"] = torch.nn.Parameter(torch.randn(3, 5, generator=generator))
    state["layer.0.bias"] = torch.arange(3, dtype=torch.float16)
    state["rows"] = table[2:4]  # a view in the middle of a storage
    state["position_ids"] = torch.arange(4).expand((1, -1))
    state["scale"] = torch.tensor(0.5)
    state["empty"] = torch.empty(0, 7)
    state._metadata = {"": {"version": 1}}
    write("zip", state, state)
    write("legacy", state, state, _use_new_zipfile_serialization=False)
    write("protocol4", state, state, pickle_protocol=4)
    optimizer = {"state": {0: {"step": torch.tensor(2.0)}}, "param_groups": [{"lr": 1e-3, "params": [0]}]}
    write("checkpoint", {"epoch": 3, "name": "x", "optimizer": optimizer, "model": {"encoder": dict(state)}},
          {"encoder." + name: tensor for name, tensor in state.items()})
    kinds = {str(kind).removeprefix("torch."): torch.arange(5).to(kind) for kind in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
        torch.int8, torch.uint8, torch.bool, torch.float8_e4m3fn, torch.float8_e5m2)}
    write("dtypes", kinds, kinds)
    canary = "pareto-canary"
    evil = {
        "open": Runs(builtins.open, canary, "w"),
        "eval": Runs(builtins.eval, f"open({canary!r}, 'w')"),
        "system": Runs(os.system, f"touch {canary}"),
        "hidden": {"model": collections.OrderedDict(state), "args": Runs(builtins.exec, f"open({canary!r}, 'w')")},
    }
    for kind, value in evil.items():
        torch.save(value, os.path.join(HERE, f"torch_evil_{kind}.bin"))
        torch.save(value, os.path.join(HERE, f"torch_evil_{kind}_legacy.bin"), _use_new_zipfile_serialization=False)
        with open(os.path.join(HERE, f"torch_evil_{kind}_pickle.bin"), "wb") as file:
            pickle.dump(Runs(*value.call) if isinstance(value, Runs) else value["args"], file, protocol=2)
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), os.path.join(HERE, "torch_evil_script.bin"))


main()
