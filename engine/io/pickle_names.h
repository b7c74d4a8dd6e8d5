#pragma once

#include <array>
#include <string_view>

#include "engine/core/dtype.h"

// What a state dict may name, and what the instructions of a pickle are called in messages.

namespace pareto::io::pickle {

enum class Role {
    OrderedDict,
    Size,
    RebuildTensor,
    RebuildTensorTyped,
    RebuildParameter,
    Storage,
    Element
};

struct KnownName {
    std::string_view name;
    Role role;
    DType dtype = DType::U8;  ///< of a Storage or an Element
};

inline constexpr std::array<KnownName, 30> kNames{{
    {"collections.OrderedDict", Role::OrderedDict},
    {"torch.Size", Role::Size},
    {"torch._utils._rebuild_tensor_v2", Role::RebuildTensor},
    {"torch._utils._rebuild_tensor_v3", Role::RebuildTensorTyped},
    {"torch._utils._rebuild_parameter", Role::RebuildParameter},
    {"torch.DoubleStorage", Role::Storage, DType::F64},
    {"torch.FloatStorage", Role::Storage, DType::F32},
    {"torch.HalfStorage", Role::Storage, DType::F16},
    {"torch.BFloat16Storage", Role::Storage, DType::BF16},
    {"torch.LongStorage", Role::Storage, DType::I64},
    {"torch.IntStorage", Role::Storage, DType::I32},
    {"torch.ShortStorage", Role::Storage, DType::I16},
    {"torch.CharStorage", Role::Storage, DType::I8},
    {"torch.ByteStorage", Role::Storage, DType::U8},
    {"torch.BoolStorage", Role::Storage, DType::Bool},
    {"torch.UntypedStorage", Role::Storage, DType::U8},
    {"torch.storage.UntypedStorage", Role::Storage, DType::U8},
    {"torch.float64", Role::Element, DType::F64},
    {"torch.float32", Role::Element, DType::F32},
    {"torch.float16", Role::Element, DType::F16},
    {"torch.bfloat16", Role::Element, DType::BF16},
    {"torch.float8_e4m3fn", Role::Element, DType::F8E4M3},
    {"torch.float8_e5m2", Role::Element, DType::F8E5M2},
    {"torch.int64", Role::Element, DType::I64},
    {"torch.int32", Role::Element, DType::I32},
    {"torch.int16", Role::Element, DType::I16},
    {"torch.int8", Role::Element, DType::I8},
    {"torch.uint8", Role::Element, DType::U8},
    {"torch.bool", Role::Element, DType::Bool},
    {"torch.long", Role::Element, DType::I64},
}};

enum Op : std::uint8_t {
    kMark = '(',
    kStop = '.',
    kNone = 'N',
    kBinInt = 'J',
    kBinInt1 = 'K',
    kBinInt2 = 'M',
    kBinFloat = 'G',
    kBinUnicode = 'X',
    kBinString = 'T',
    kShortBinString = 'U',
    kEmptyDict = '}',
    kEmptyList = ']',
    kEmptyTuple = ')',
    kTuple = 't',
    kAppend = 'a',
    kAppends = 'e',
    kSetItem = 's',
    kSetItems = 'u',
    kGlobal = 'c',
    kReduce = 'R',
    kBuild = 'b',
    kBinPersId = 'Q',
    kBinGet = 'h',
    kLongBinGet = 'j',
    kBinPut = 'q',
    kLongBinPut = 'r',
    kInst = 'i',
    kProto = 0x80,
    kTuple1 = 0x85,
    kTuple2 = 0x86,
    kTuple3 = 0x87,
    kNewTrue = 0x88,
    kNewFalse = 0x89,
    kLong1 = 0x8A,
    kShortBinUnicode = 0x8C,
    kStackGlobal = 0x93,
    kMemoize = 0x94,
    kFrame = 0x95,
};

struct OpName {
    std::uint8_t op;
    std::string_view name;
};
/// Instructions that are refused; pickletools' names.
inline constexpr std::array<OpName, 30> kRefused{{
    {'o', "OBJ"},         {0x81, "NEWOBJ"},      {0x92, "NEWOBJ_EX"},
    {0x82, "EXT1"},       {0x83, "EXT2"},        {0x84, "EXT4"},
    {'P', "PERSID"},      {'I', "INT"},          {'L', "LONG"},
    {'F', "FLOAT"},       {'S', "STRING"},       {'V', "UNICODE"},
    {'g', "GET"},         {'p', "PUT"},          {'0', "POP"},
    {'1', "POP_MARK"},    {'2', "DUP"},          {'d', "DICT"},
    {'l', "LIST"},        {'B', "BINBYTES"},     {'C', "SHORT_BINBYTES"},
    {0x8B, "LONG4"},      {0x8D, "BINUNICODE8"}, {0x8E, "BINBYTES8"},
    {0x8F, "EMPTY_SET"},  {0x90, "ADDITEMS"},    {0x91, "FROZENSET"},
    {0x96, "BYTEARRAY8"}, {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
}};

}  // namespace pareto::io::pickle
