#include "engine/io/pickle.h"

#include <cstdio>
#include <unordered_map>

#include "engine/io/pickle_names.h"
#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

using namespace pickle;
using Kind = PickleValue::Kind;

/// A state dict of 80 layers has some 50,000.
constexpr std::size_t kMaxValues = std::size_t{1} << 20;
constexpr std::uint64_t kMaxSteps = 16 * kMaxValues;
constexpr std::uint64_t kMaxHeld = 4 * kMaxValues;
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxAllTextBytes = std::uint64_t{32} << 20;
constexpr std::uint64_t kMaxNameBytes = 512;
constexpr std::size_t kMaxRank = 16;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 60;  ///< 8 bytes each never overflow

class Machine {
public:
    explicit Machine(FileCursor& cursor) : m_cursor(cursor) {}

    Result<Pickle> run() {
        for (std::uint64_t steps = 0; m_out.root == nullptr; ++steps) {
            m_at = m_cursor.offset();
            if (steps >= kMaxSteps) {
                return corrupt("has more than " + std::to_string(kMaxSteps) + " instructions");
            }
            PARETO_TRY(const auto op, m_cursor.value<std::uint8_t>());
            PARETO_CHECK(step(op));
        }
        return std::move(m_out);
    }

private:
    Error corrupt(std::string reason) const {
        return m_cursor.corrupt(m_at, "its pickle " + std::move(reason));
    }
    Error unsafe(const std::string& what) const {
        return makeError(ErrorCode::FileUnsafe,
                         {{"file", m_cursor.file().path()},
                          {"reason", "its pickle " + what + " (offset " + std::to_string(m_at) +
                                         "), which no state dict needs; nothing of it was run. " +
                                         pickleAdvice()}});
    }
    Error wrongArguments(const std::string& what) const {
        return corrupt("gives " + what + " other arguments than torch does");
    }

    Status step(std::uint8_t op) {
        switch (op) {
        case kProto:
            return readProtocol();
        case kFrame:
            return skipFrameLength();
        case kStop:
            return stop();
        case kMark:
            return mark();
        case kNone:
            return push(Kind::None);
        case kNewTrue:
            return push(Kind::Bool, 1);
        case kNewFalse:
            return push(Kind::Bool, 0);
        case kBinInt:
            return pushInt<std::int32_t>();
        case kBinInt1:
            return pushInt<std::uint8_t>();
        case kBinInt2:
            return pushInt<std::uint16_t>();
        case kLong1:
            return pushLong();
        case kBinFloat:
            return pushFloat();
        case kBinUnicode:
        case kBinString:
            return pushText<std::uint32_t>();
        case kShortBinUnicode:
        case kShortBinString:
            return pushText<std::uint8_t>();
        case kEmptyDict:
            return push(Kind::Dict);
        case kEmptyList:
            return push(Kind::List);
        case kEmptyTuple:
            return push(Kind::Tuple);
        case kTuple:
            return sinceMark(&Machine::makeTuple);
        case kTuple1:
            return makeTuple(1);
        case kTuple2:
            return makeTuple(2);
        case kTuple3:
            return makeTuple(3);
        case kAppend:
            return extend(1, Kind::List);
        case kAppends:
            return sinceMark(&Machine::appendItems);
        case kSetItem:
            return extend(2, Kind::Dict);
        case kSetItems:
            return sinceMark(&Machine::setItems);
        default:
            return stepObjects(op);
        }
    }

    Status stepObjects(std::uint8_t op) {
        switch (op) {
        case kBinPut:
            return put<std::uint8_t>();
        case kLongBinPut:
            return put<std::uint32_t>();
        case kMemoize:
            return remember(m_memo.size());
        case kBinGet:
            return get<std::uint8_t>();
        case kLongBinGet:
            return get<std::uint32_t>();
        case kGlobal:
        case kInst:
            return readGlobal();
        case kStackGlobal:
            return stackGlobal();
        case kReduce:
            return reduce();
        case kBuild:
            return build();
        case kBinPersId:
            return persistent();
        default:
            break;
        }
        for (const auto& refused : kRefused) {
            if (refused.op == op) {
                return unsafe("holds the instruction " + std::string(refused.name));
            }
        }
        char code[8];
        std::snprintf(code, sizeof code, "0x%02X", op);
        return corrupt("holds " + std::string(code) + ", which is no instruction");
    }

    Status readProtocol() {
        PARETO_TRY(const auto version, m_cursor.value<std::uint8_t>());
        if (version < 2 || version > 5) {
            return corrupt("is of protocol " + std::to_string(version) + ", 2 to 5 are known");
        }
        return Done{};
    }

    Status skipFrameLength() {
        PARETO_CHECK(m_cursor.value<std::uint64_t>());
        return Done{};
    }

    Status mark() {
        if (m_marks.size() >= kMaxValues) {
            return corrupt("sets more than " + std::to_string(kMaxValues) + " marks");
        }
        m_marks.push_back(m_stack.size());
        return Done{};
    }

    Status stop() {
        if (m_stack.size() != 1 || !m_marks.empty()) {
            return corrupt("ends with " + std::to_string(m_stack.size()) +
                           " values instead of one");
        }
        m_out.root = m_stack.back();
        return Done{};
    }

    // -- values

    Result<PickleValue*> create(Kind kind) {
        if (m_out.values.size() >= kMaxValues) {
            return corrupt("holds more than " + std::to_string(kMaxValues) + " values");
        }
        auto& value = m_out.values.emplace_back();
        value.kind = kind;
        return &value;
    }
    Status push(Kind kind, std::int64_t number = 0) {
        PARETO_TRY(auto* value, create(kind));
        value->number = number;
        m_stack.push_back(value);
        return Done{};
    }
    template <typename T>
    Status pushInt() {
        PARETO_TRY(const auto number, m_cursor.value<T>());
        return push(Kind::Int, static_cast<std::int64_t>(number));
    }
    /// Little-endian two's complement of at most 8 bytes: sizes, never anything longer.
    Status pushLong() {
        PARETO_TRY(const auto bytes, m_cursor.value<std::uint8_t>());
        if (bytes > 8) {
            return corrupt("holds a number of " + std::to_string(bytes) + " bytes");
        }
        std::uint64_t bits = 0;
        PARETO_CHECK(m_cursor.copy(&bits, bytes));
        if (bytes > 0 && bytes < 8 && ((bits >> (8 * bytes - 1)) & 1U) != 0) {
            bits |= ~std::uint64_t{0} << (8 * bytes);
        }
        return push(Kind::Int, static_cast<std::int64_t>(bits));
    }
    /// Its value is of no use to a state dict.
    Status pushFloat() {
        PARETO_CHECK(m_cursor.value<double>());
        return push(Kind::Float);
    }
    template <typename Length>
    Status pushText() {
        PARETO_TRY(const auto length, m_cursor.value<Length>());
        if (length > kMaxTextBytes || m_textBytes + length > kMaxAllTextBytes) {
            return corrupt("holds a text of " + std::to_string(length) +
                           " bytes, more than is allowed");
        }
        if (length > m_cursor.remaining()) {
            return m_cursor.truncated(length);
        }
        m_textBytes += length;
        PARETO_TRY(auto* value, create(Kind::Text));
        value->text.resize(length);
        PARETO_CHECK(m_cursor.copy(value->text.data(), length));
        m_stack.push_back(value);
        return Done{};
    }

    // -- stack

    std::size_t floor() const { return m_marks.empty() ? 0 : m_marks.back(); }
    Error underflow() const { return corrupt("takes more from its stack than there is"); }
    Result<PickleValue*> pop() {
        if (m_stack.size() <= floor()) {
            return underflow();
        }
        auto* value = m_stack.back();
        m_stack.pop_back();
        return value;
    }
    Status sinceMark(Status (Machine::*action)(std::size_t)) {
        if (m_marks.empty()) {
            return corrupt("has no mark where it needs one");
        }
        const auto count = m_stack.size() - m_marks.back();
        m_marks.pop_back();
        return (this->*action)(count);
    }
    Status makeTuple(std::size_t count) {
        if (m_stack.size() - floor() < count) {
            return underflow();
        }
        PARETO_CHECK(hold(count));
        PARETO_TRY(auto* value, create(Kind::Tuple));
        value->items.assign(m_stack.end() - static_cast<std::ptrdiff_t>(count), m_stack.end());
        m_stack.resize(m_stack.size() - count);
        m_stack.push_back(value);
        return Done{};
    }
    /// The same value may be put into containers again and again.
    Status hold(std::size_t count) {
        m_held += count;
        return m_held <= kMaxHeld ? Status(Done{})
                                  : corrupt("puts more than " + std::to_string(kMaxHeld) +
                                            " values into containers");
    }
    Status appendItems(std::size_t count) { return extend(count, Kind::List); }
    Status setItems(std::size_t count) {
        return count % 2 == 0 ? extend(count, Kind::Dict)
                              : Status(corrupt("has a key without a value"));
    }
    /// Moves the topmost values into the list or dictionary below them.
    Status extend(std::size_t count, Kind kind) {
        if (m_stack.size() - floor() < count + 1) {
            return underflow();
        }
        auto* target = m_stack[m_stack.size() - count - 1];
        if (!target->is(kind)) {
            return corrupt(kind == Kind::List ? "appends to something else than a list"
                                              : "sets items of something else than a dictionary");
        }
        PARETO_CHECK(hold(count));
        target->items.insert(target->items.end(),
                             m_stack.end() - static_cast<std::ptrdiff_t>(count), m_stack.end());
        m_stack.resize(m_stack.size() - count);
        return Done{};
    }

    template <typename Index>
    Status put() {
        PARETO_TRY(const auto index, m_cursor.value<Index>());
        return remember(index);
    }
    Status remember(std::uint64_t index) {
        if (m_stack.size() <= floor()) {
            return underflow();
        }
        if (m_memo.size() >= kMaxValues) {
            return corrupt("remembers more than " + std::to_string(kMaxValues) + " values");
        }
        m_memo[index] = m_stack.back();
        return Done{};
    }
    template <typename Index>
    Status get() {
        PARETO_TRY(const auto index, m_cursor.value<Index>());
        const auto found = m_memo.find(index);
        if (found == m_memo.end()) {
            return corrupt("recalls the value " + std::to_string(index) +
                           ", which was never remembered");
        }
        if (m_stack.size() >= kMaxValues) {
            return corrupt("has more than " + std::to_string(kMaxValues) + " values on its stack");
        }
        m_stack.push_back(found->second);
        return Done{};
    }

    // -- names and what is made of them

    Result<std::string> readLine() {
        std::string line;
        while (true) {
            PARETO_TRY(const auto byte, m_cursor.value<char>());
            if (byte == '\n') {
                return line;
            }
            if (line.size() >= kMaxNameBytes) {
                return corrupt("holds a name of more than " + std::to_string(kMaxNameBytes) +
                               " bytes");
            }
            line.push_back(byte);
        }
    }
    Status readGlobal() {
        PARETO_TRY(const std::string module, readLine());
        PARETO_TRY(const std::string name, readLine());
        return pushName(module + "." + name);
    }
    Status stackGlobal() {
        PARETO_TRY(const auto* name, pop());
        PARETO_TRY(const auto* module, pop());
        if (!name->is(Kind::Text) || !module->is(Kind::Text)) {
            return corrupt("has a name that is no text");
        }
        return pushName((module->text + "." + name->text).substr(0, 2 * kMaxNameBytes));
    }
    Status pushName(const std::string& name) {
        for (std::size_t i = 0; i < kNames.size(); ++i) {
            if (kNames[i].name == name) {
                PARETO_CHECK(push(Kind::Name, static_cast<std::int64_t>(i)));
                m_stack.back()->text = name;
                return Done{};
            }
        }
        return unsafe("names " + replaceInvalidUtf8(name));
    }
    static const KnownName& known(const PickleValue& name) {
        return kNames[static_cast<std::size_t>(name.number)];
    }
    static bool isName(const PickleValue& value, Role role) {
        return value.is(Kind::Name) && known(value).role == role;
    }

    Status reduce() {
        PARETO_TRY(const auto* arguments, pop());
        PARETO_TRY(const auto* callee, pop());
        if (!callee->is(Kind::Name)) {
            return unsafe("calls something that is not a name");
        }
        if (!arguments->is(Kind::Tuple)) {
            return wrongArguments(callee->text);
        }
        switch (known(*callee).role) {
        case Role::OrderedDict:
            return makeDict(*arguments);
        case Role::Size:
            return makeSize(*arguments);
        case Role::RebuildTensor:
            return makeTensor(*arguments, false);
        case Role::RebuildTensorTyped:
            return makeTensor(*arguments, true);
        case Role::RebuildParameter:
            return makeParameter(*arguments);
        case Role::Storage:
        case Role::Element:
            break;
        }
        return unsafe("calls " + callee->text);
    }
    Status makeDict(const PickleValue& arguments) {
        return arguments.items.empty() ? push(Kind::Dict) : Status(wrongArguments("OrderedDict"));
    }
    Status makeSize(const PickleValue& arguments) {
        if (arguments.items.size() != 1 || !arguments.items[0]->is(Kind::Tuple)) {
            return wrongArguments("torch.Size");
        }
        PARETO_TRY(auto* size, create(Kind::Tuple));
        size->items = arguments.items[0]->items;
        m_stack.push_back(size);
        return Done{};
    }
    Status makeParameter(const PickleValue& arguments) {
        if (arguments.items.size() != 3 || !arguments.items[0]->is(Kind::Tensor)) {
            return wrongArguments("_rebuild_parameter");
        }
        PARETO_TRY(auto* parameter, create(Kind::Tensor));
        parameter->number = arguments.items[0]->number;
        m_stack.push_back(parameter);
        return Done{};
    }

    /// (storage, offset, size, stride, requires_grad, hooks[, dtype][, metadata])
    Status makeTensor(const PickleValue& arguments, bool typed) {
        const auto& items = arguments.items;
        const std::size_t least = typed ? 7 : 6;
        if (items.size() < least || items.size() > least + 1 || !items[0]->is(Kind::Storage) ||
            !items[1]->is(Kind::Int) || !items[2]->is(Kind::Tuple) || !items[3]->is(Kind::Tuple) ||
            (typed && !isName(*items[6], Role::Element))) {
            return wrongArguments("_rebuild_tensor");
        }
        PickledTensor tensor;
        tensor.storage = items[0]->text;
        const auto& storage = m_out.storages.at(tensor.storage);
        tensor.dtype = typed ? known(*items[6]).dtype : storage.dtype;
        PARETO_TRY(tensor.sizes, numbers(*items[2]));
        PARETO_TRY(tensor.strides, numbers(*items[3]));
        if (items[1]->number < 0) {
            return corrupt("places a tensor at offset " + std::to_string(items[1]->number));
        }
        tensor.offset = static_cast<std::uint64_t>(items[1]->number);
        PARETO_CHECK(checkExtent(tensor, storage));
        PARETO_CHECK(push(Kind::Tensor, static_cast<std::int64_t>(m_out.tensors.size())));
        m_out.tensors.push_back(std::move(tensor));
        return Done{};
    }
    Result<std::vector<std::int64_t>> numbers(const PickleValue& tuple) const {
        std::vector<std::int64_t> out;
        if (tuple.items.size() > kMaxRank) {
            return corrupt("has a tensor of " + std::to_string(tuple.items.size()) + " dimensions");
        }
        for (const auto* item : tuple.items) {
            if (!item->is(Kind::Int) || item->number < 0) {
                return corrupt("has a tensor with a size or stride that is no whole number >= 0");
            }
            out.push_back(item->number);
        }
        return out;
    }
    Status checkExtent(const PickledTensor& tensor, const PickledStorage& storage) const {
        if (tensor.sizes.size() != tensor.strides.size()) {
            return corrupt("has a tensor with " + std::to_string(tensor.sizes.size()) +
                           " sizes and " + std::to_string(tensor.strides.size()) + " strides");
        }
        std::uint64_t elements = 1;
        std::uint64_t last = tensor.offset;
        bool empty = false;
        for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
            const auto size = static_cast<std::uint64_t>(tensor.sizes[i]);
            empty = empty || size == 0;
            std::uint64_t reach = 0;
            if (!checkedMultiply(elements, std::max<std::uint64_t>(size, 1), elements) ||
                elements >= kMaxElements ||
                !checkedMultiply(std::max<std::uint64_t>(size, 1) - 1,
                                 static_cast<std::uint64_t>(tensor.strides[i]), reach) ||
                !checkedAdd(last, reach, last) || last >= kMaxElements) {
                return corrupt("has a tensor whose sizes or strides overflow");
            }
        }
        if (!empty && (last + 1) * dtypeBytes(tensor.dtype) > storage.bytes) {
            return corrupt("has a tensor that reaches to element " + std::to_string(last) +
                           " of a storage of " + std::to_string(storage.bytes) + " bytes");
        }
        return Done{};
    }

    /// State of an OrderedDict (a state dict's _metadata) is of no use; nothing else has any.
    Status build() {
        PARETO_TRY(const auto* state, pop());
        if (m_stack.size() <= floor()) {
            return underflow();
        }
        if (!m_stack.back()->is(Kind::Dict) || !state->is(Kind::Dict)) {
            return unsafe("sets the state of something else than a dictionary (BUILD)");
        }
        return Done{};
    }

    /// ("storage", type, key, location, elements[, None])
    Status persistent() {
        PARETO_TRY(const auto* id, pop());
        const auto& items = id->items;
        if (!id->is(Kind::Tuple) || items.empty() || !items[0]->is(Kind::Text) ||
            items[0]->text != "storage") {
            return unsafe("refers to something else than a storage");
        }
        if (items.size() < 5 || items.size() > 6 || !isName(*items[1], Role::Storage) ||
            !items[2]->is(Kind::Text) || !items[4]->is(Kind::Int) ||
            (items.size() == 6 && !items[5]->is(Kind::None))) {
            return wrongArguments("a storage");
        }
        PickledStorage storage;
        storage.dtype = known(*items[1]).dtype;
        if (items[4]->number < 0 || static_cast<std::uint64_t>(items[4]->number) >= kMaxElements) {
            return corrupt("has a storage of " + std::to_string(items[4]->number) + " elements");
        }
        storage.bytes = static_cast<std::uint64_t>(items[4]->number) * dtypeBytes(storage.dtype);
        const auto [at, added] = m_out.storages.emplace(items[2]->text, storage);
        if (!added && (at->second.bytes != storage.bytes || at->second.dtype != storage.dtype)) {
            return corrupt("has two different storages of one name");
        }
        PARETO_TRY(auto* value, create(Kind::Storage));
        value->text = items[2]->text;
        m_stack.push_back(value);
        return Done{};
    }

    FileCursor& m_cursor;
    Pickle m_out;
    std::vector<PickleValue*> m_stack;
    std::vector<std::size_t> m_marks;
    std::unordered_map<std::uint64_t, PickleValue*> m_memo;
    std::uint64_t m_at = 0;  ///< of the instruction at work
    std::uint64_t m_textBytes = 0;
    std::uint64_t m_held = 0;
};

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
    for (std::size_t i = 0; kind == Kind::Dict && i + 1 < items.size(); i += 2) {
        if (items[i]->is(Kind::Text) && items[i]->text == key) {
            return items[i + 1];
        }
    }
    return nullptr;
}

Result<Pickle> readPickle(FileCursor& cursor) { return Machine(cursor).run(); }

std::string pickleAdvice() {
    return "Convert it to safetensors on a machine you trust: "
           "safetensors.torch.save_file(torch.load(FILE, weights_only=True), "
           "\"model.safetensors\")";
}

}  // namespace pareto::io
