"""Reads the weights of an ONNX file with nothing but the standard library.

Only what the conversion of a BERT classifier needs: the initializers of the main graph (name, shape,
raw fp32 bytes) and its nodes (name, operator, inputs). ONNX is protocol buffers; the field numbers
are those of onnx.proto3.
"""

import array
import mmap
import sys

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOAT = 1  # TensorProto.DataType


class OnnxError(Exception):
    """The file is not what an ONNX model looks like; the text says where."""


class Tensor:
    """An fp32 initializer: `values` is an array('f') in row-major order."""

    def __init__(self, name, shape, values):
        self.name = name
        self.shape = shape
        self.values = values

    def transposed(self):
        """The transpose of a matrix."""
        rows, cols = self.shape
        out = array.array("f")
        for column in range(cols):
            out.extend(self.values[column::cols])
        return Tensor(self.name, [cols, rows], out)


class Node:
    def __init__(self, name, operator, inputs):
        self.name = name
        self.operator = operator
        self.inputs = inputs


def _varint(data, at, end):
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise OnnxError(f"a number runs past byte {end}")


def _fields(data, at, end):
    """Yields (field number, wire type, start, end or value) of one message."""
    while at < end:
        key, at = _varint(data, at, end)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at, end)
            yield number, wire, value, at
            continue
        if wire == _BYTES:
            size, at = _varint(data, at, end)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise OnnxError(f"wire type {wire} at byte {at}")
        if size > end - at:
            raise OnnxError(f"a field at byte {at} is longer than its message")
        yield number, wire, at, at + size
        at += size


def _text(data, start, end):
    return bytes(data[start:end]).decode("utf-8")


def _tensor(data, at, end):
    """TensorProto: dims = 1, data_type = 2, float_data = 4, name = 8, raw_data = 9."""
    shape, kind, name, raw = [], None, "", None
    for number, wire, start, stop in _fields(data, at, end):
        if number == 1 and wire == _VARINT:
            shape.append(start)
        elif number == 1:
            while start < stop:
                value, start = _varint(data, start, stop)
                shape.append(value)
        elif number == 2:
            kind = start
        elif number == 8:
            name = _text(data, start, stop)
        elif number in (4, 9) and wire == _BYTES:
            raw = (start, stop)
    if kind != _FLOAT or raw is None:
        return None
    values = array.array("f")
    values.frombytes(data[raw[0]:raw[1]])
    if sys.byteorder == "big":
        values.byteswap()
    count = 1
    for extent in shape:
        count *= extent
    if count != len(values):
        raise OnnxError(f"{name}: {len(values)} values for the shape {shape}")
    return Tensor(name, shape, values)


def _node(data, at, end):
    """NodeProto: input = 1, name = 3, op_type = 4."""
    inputs, name, operator = [], "", ""
    for number, _, start, stop in _fields(data, at, end):
        if number == 1:
            inputs.append(_text(data, start, stop))
        elif number == 3:
            name = _text(data, start, stop)
        elif number == 4:
            operator = _text(data, start, stop)
    return Node(name, operator, inputs)


def read_onnx(path):
    """Returns ({initializer name: Tensor}, [Node]) of the main graph (ModelProto.graph = 7)."""
    tensors, nodes = {}, []
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for number, wire, start, stop in _fields(data, 0, len(data)):
            if number != 7 or wire != _BYTES:
                continue
            for part, _, first, last in _fields(data, start, stop):
                if part == 1:  # GraphProto.node
                    nodes.append(_node(data, first, last))
                elif part == 5:  # GraphProto.initializer
                    tensor = _tensor(data, first, last)
                    if tensor is not None:
                        tensors[tensor.name] = tensor
    if not tensors:
        raise OnnxError("no fp32 weights in the file")
    return tensors, nodes
