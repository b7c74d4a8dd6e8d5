#include "engine/io/onnx_names.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "engine/io/derived.h"

namespace pareto::io {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kQuantized = "_quantized";
constexpr std::string_view kDequantized = "_DequantizeLinear_Output";
constexpr int kMaxStepsToBias = 5;

/// TensorProto.DataType; false for what no model keeps weights in.
bool typeOf(int number, DType& out) {
    switch (number) {
    case 1: out = DType::F32; return true;
    case 2: out = DType::U8; return true;
    case 3: out = DType::I8; return true;
    case 5: out = DType::I16; return true;
    case 6: out = DType::I32; return true;
    case 7: out = DType::I64; return true;
    case 9: out = DType::Bool; return true;
    case 10: out = DType::F16; return true;
    case 11: out = DType::F64; return true;
    case 16: out = DType::BF16; return true;
    default: return false;
    }
}

bool endsWith(const std::string& text, std::string_view end) {
    return text.size() > end.size() && std::string_view(text).ends_with(end);
}

std::string withoutEnd(std::string text, std::string_view end) {
    if (endsWith(text, end)) {
        text.resize(text.size() - end.size());
    }
    return text;
}

/// Whether a parameter of a module is called like this.
bool isParameterName(const std::string& name) {
    return (endsWith(name, ".weight") || endsWith(name, ".bias")) && name.front() != '/' &&
           name.find("::") == std::string::npos;
}

std::string moduleOf(const std::string& parameter) { return parameter.substr(0, parameter.rfind('.')); }

class Namer {
public:
    Namer(const OnnxGraph& graph, std::vector<WeightFile>& files)
        : m_graph(graph),
          m_files(files),
          m_own(static_cast<int>(files.size()) - 1),
          m_path(files.back().path) {}

    Result<OnnxWeights> run() {
        PARETO_CHECK(collect());
        PARETO_CHECK(dequantizeAll());
        for (const auto& [name, tensor] : m_constants) {
            if (isParameterName(name) && isWeight(tensor)) {
                put(name, tensor);
            }
        }
        for (const auto& node : m_graph.nodes) {
            PARETO_CHECK(nameOperands(node));
            readHeads(node);
        }
        m_out.integers = std::count_if(m_out.tensors.begin(), m_out.tensors.end(), [](const auto& entry) {
            return !entry.second.typeName.empty() && entry.second.typeName.find_first_of("IU") == 0;
        });
        return std::move(m_out);
    }

private:
    static bool isWeight(const TensorInfo& tensor) {
        return tensor.shape.rank() > 0 && (tensor.derived != nullptr || isFloating(tensor.encoding.dtype));
    }

    // -- constants ----------------------------------------------------------------------------------------
    Status collect() {
        for (const auto& tensor : m_graph.initializers) {
            PARETO_CHECK(addConstant(tensor, tensor.name));
        }
        for (const auto& node : m_graph.nodes) {
            if (node.op == "Constant" && node.value && node.outputs.size() == 1) {
                PARETO_CHECK(addConstant(*node.value, node.outputs.front()));
            }
            if (node.op == "MatMulNBits" || node.op == "GatherBlockQuantized") {
                return makeError(ErrorCode::FileFormatUnknown,
                                 {{"file", m_path},
                                  {"reason", "its weights are in blocks of few bits (" + node.op + " in " +
                                                 node.name + "), which are not read"}});
            }
            for (const auto& input : node.inputs) {
                m_users[input].push_back(&node);
            }
        }
        copySame();
        return Done{};
    }

    /// What the exporter found to be the same it keeps once.
    void copySame() {
        for (const auto& node : m_graph.nodes) {
            if (node.op == "Identity" && node.inputs.size() == 1 && node.outputs.size() == 1) {
                if (const auto* same = constant(node.inputs.front())) {
                    m_constants.emplace(node.outputs.front(), renamed(*same, node.outputs.front()));
                }
            }
        }
    }

    const TensorInfo* constant(const std::string& name) const {
        const auto found = m_constants.find(name);
        return found == m_constants.end() ? nullptr : &found->second;
    }

    Status addConstant(const OnnxTensor& tensor, const std::string& name) {
        DType type{};
        if (name.empty() || !typeOf(tensor.type, type)) {
            return Done{};
        }
        const auto add = [&](TensorInfo info) -> Status {
            if (!m_constants.emplace(name, std::move(info)).second) {
                return corrupt(tensor.at, "the name " + name + " occurs twice");
            }
            return Done{};
        };
        if (tensor.external) {
            PARETO_TRY(TensorInfo info, externalTensor(tensor, name, type));
            return add(std::move(info));
        }
        if (!tensor.hasData) {
            std::vector<float> values(tensor.numbers.begin(), tensor.numbers.end());
            if (!values.empty()) {
                m_numbers[name] = tensor.numbers;
            }
            Shape shape(tensor.sizes);
            // Few numbers in a list of their own; what does not fit is no weight and no scale.
            const bool fits = std::all_of(tensor.sizes.begin(), tensor.sizes.end(), [](std::int64_t size) {
                                  return size >= 0 && size <= (1 << 16);
                              }) && tensor.sizes.size() <= 2 &&
                              static_cast<std::size_t>(shape.elements()) == values.size() && !isFloating(type);
            return fits && !values.empty() ? add(constantTensor(m_own, name, std::move(shape), type, std::move(values)))
                                           : Status(Done{});
        }
        PARETO_TRY(TensorInfo info, storedTensor(m_files, m_own, name, Shape(tensor.sizes), type, tensor.offset,
                                                 tensor.offset + tensor.bytes));
        if (info.bytes != tensor.bytes) {
            return corrupt(tensor.at, "the tensor " + name + " of shape " + info.shape.text() + " has " +
                                          std::to_string(tensor.bytes) + " bytes instead of " +
                                          std::to_string(info.bytes));
        }
        return add(std::move(info));
    }

    /// Only a file of the folder itself, and no second name of a file elsewhere.
    Result<TensorInfo> externalTensor(const OnnxTensor& tensor, const std::string& name, DType type) {
        const auto folder = fs::path(m_path).parent_path();
        const auto full = (folder / tensor.location).string();
        const bool plain = !tensor.location.empty() && tensor.location.size() <= 255 && tensor.location != "." &&
                           tensor.location.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
        if (!plain) {
            return makeError(ErrorCode::FileUnsafe,
                             {{"file", m_path},
                              {"reason", "it keeps the tensor " + name + " in " +
                                             Json(tensor.location.substr(0, 200)).dump() +
                                             ", which is not the name of a file in its folder"}});
        }
        auto found = m_external.find(tensor.location);
        if (found == m_external.end()) {
            PARETO_TRY(const auto root, ModelRoot::open(folder.string()));
            PARETO_TRY(auto file, root.openFile(tensor.location));
            std::error_code problem;
            if (fs::hard_link_count(file->path(), problem) > 1) {
                return makeError(ErrorCode::FileUnsafe,
                                 {{"file", full},
                                  {"reason", "it is a hard link to a file that has other names, too. Copy the "
                                             "file into the folder"}});
            }
            found = m_external.emplace(tensor.location, static_cast<int>(m_files.size())).first;
            m_files.push_back({full, std::move(file)});
        }
        const auto size = m_files[static_cast<std::size_t>(found->second)].file->size();
        PARETO_TRY(TensorInfo info, storedTensor(m_files, found->second, name, Shape(tensor.sizes), type,
                                                 tensor.externalOffset, size));
        if (tensor.externalBytes && *tensor.externalBytes != info.bytes) {
            return corrupt(tensor.at, "the tensor " + name + " of shape " + info.shape.text() + " has " +
                                          std::to_string(*tensor.externalBytes) + " bytes instead of " +
                                          std::to_string(info.bytes));
        }
        return info;
    }

    // -- integers with scales -----------------------------------------------------------------------------
    Status dequantizeAll() {
        for (const auto& node : m_graph.nodes) {
            if (node.op != "DequantizeLinear" || node.inputs.size() < 2 || node.outputs.empty()) {
                continue;
            }
            const auto* codes = constant(node.inputs[0]);
            const auto* scale = constant(node.inputs[1]);
            if (codes == nullptr || scale == nullptr) {
                continue;
            }
            const auto axis = node.integers.find("axis");
            PARETO_CHECK(dequantize(node.inputs[0], *codes, *scale,
                                    node.inputs.size() > 2 ? constant(node.inputs[2]) : nullptr,
                                    axis == node.integers.end() ? 1 : static_cast<int>(axis->second)));
            if (const auto* made = constant(stem(node.inputs[0]))) {
                m_constants.emplace(node.outputs[0], renamed(*made, node.outputs[0]));
            }
        }
        copySame();
        // Dynamic quantization multiplies behind the product: only the names say what belongs together.
        std::vector<std::string> names;
        for (const auto& [name, tensor] : m_constants) {
            if (endsWith(name, kQuantized) && constant(stem(name)) == nullptr) {
                names.push_back(name);
            }
        }
        for (const auto& name : names) {
            const auto* scale = constant(stem(name) + "_scale");
            if (scale != nullptr) {
                PARETO_CHECK(dequantize(name, *constant(name), *scale, constant(stem(name) + "_zero_point"), 1));
            }
        }
        return Done{};
    }

    Status dequantize(const std::string& name, const TensorInfo& codes, const TensorInfo& scale,
                      const TensorInfo* zero, int axis) {
        const auto rank = static_cast<int>(codes.shape.rank());
        axis = axis < 0 ? axis + rank : axis;
        PARETO_TRY(TensorInfo values,
                   dequantized(m_files, codes, {.scale = scale, .zero = zero, .axis = rank == 1 ? 0 : axis}));
        m_constants.emplace(stem(name), renamed(std::move(values), stem(name)));
        return Done{};
    }

    static std::string stem(const std::string& name) {
        return withoutEnd(withoutEnd(name, kDequantized), kQuantized);
    }

    // -- names --------------------------------------------------------------------------------------------
    void put(const std::string& name, TensorInfo tensor) {
        tensor.name = name;
        m_out.tensors.emplace(name, std::move(tensor));
    }

    /// The weight behind a node's input; its own name in `name`.
    const TensorInfo* operand(const OnnxNode& node, std::size_t index, std::string& name) const {
        if (index >= node.inputs.size()) {
            return nullptr;
        }
        name = stem(node.inputs[index]);
        const auto* found = constant(name);
        if (found == nullptr) {
            found = constant(node.inputs[index]);
        }
        return found != nullptr && isWeight(*found) ? found : nullptr;
    }

    /// "/encoder/layer.0/attention/self/query/MatMul" -> "encoder.layer.0.attention.self.query".
    static std::string pathOf(const OnnxNode& node) {
        const auto end = node.name.rfind('/');
        if (node.name.empty() || node.name.front() != '/' || end == 0) {
            return {};
        }
        std::string path = node.name.substr(1, end - 1);
        std::replace(path.begin(), path.end(), '/', '.');
        return path;
    }

    /// The bias that is added to what the node makes.
    std::string biasBehind(const OnnxNode& node) const {
        const OnnxNode* at = &node;
        for (int step = 0; step < kMaxStepsToBias && at->outputs.size() == 1; ++step) {
            const auto users = m_users.find(at->outputs.front());
            if (users == m_users.end() || users->second.size() != 1) {
                return {};
            }
            at = users->second.front();
            if (at->op == "Add") {
                for (const auto& input : at->inputs) {
                    if (constant(input) != nullptr && isParameterName(stem(input)) && endsWith(stem(input), ".bias")) {
                        return stem(input);
                    }
                }
                return {};
            }
            const bool scaling = node.op == "MatMulInteger" && (at->op == "Cast" || at->op == "Mul");
            if (!scaling && at->op != "QuantizeLinear" && at->op != "DequantizeLinear") {
                return {};
            }
        }
        return {};
    }

    Status nameOperands(const OnnxNode& node) {
        if (node.op == "MatMul" || node.op == "MatMulInteger" || node.op == "Gemm") {
            return nameMatrix(node);
        }
        if (node.op == "Gather") {
            std::string name;
            const auto* table = operand(node, 0, name);
            if (table != nullptr && table->shape.rank() == 2 && !isParameterName(name) && !pathOf(node).empty()) {
                put(pathOf(node) + ".weight", *table);
            }
        } else if (node.op == "LayerNormalization" || node.op == "SimplifiedLayerNormalization") {
            nameNorm(node);
        } else if (node.op == "Add" || node.op == "Mul") {
            nameVector(node);
        }
        return Done{};
    }

    Status nameMatrix(const OnnxNode& node) {
        std::string name;
        const auto* weight = operand(node, 1, name);
        std::string bias;
        const auto* added = node.op == "Gemm" ? operand(node, 2, bias) : nullptr;
        std::string module = added != nullptr && isParameterName(bias) ? moduleOf(bias) : std::string();
        if (module.empty()) {
            const auto behind = biasBehind(node);
            module = behind.empty() ? pathOf(node) : moduleOf(behind);
        }
        if (module.empty()) {
            return Done{};
        }
        if (added != nullptr && !isParameterName(bias)) {
            put(module + ".bias", *added);
        }
        if (weight == nullptr || weight->shape.rank() != 2 || isParameterName(name)) {
            return Done{};
        }
        const auto turned = node.integers.find("transB");
        if (turned != node.integers.end() && turned->second != 0) {
            put(module + ".weight", *weight);
            return Done{};
        }
        PARETO_TRY(TensorInfo tensor, transposed(m_files, *weight));
        put(module + ".weight", std::move(tensor));
        return Done{};
    }

    void nameNorm(const OnnxNode& node) {
        std::string weightName;
        std::string biasName;
        const auto* weight = operand(node, 1, weightName);
        const auto* bias = operand(node, 2, biasName);
        std::string module = pathOf(node);
        if (module.empty() && bias != nullptr && isParameterName(biasName)) {
            module = moduleOf(biasName);
        }
        if (module.empty()) {
            return;
        }
        if (weight != nullptr) {
            put(module + ".weight", *weight);
        }
        if (bias != nullptr) {
            put(module + ".bias", *bias);
        }
    }

    /// Norms and linears in pieces: a vector that is multiplied is the weight, one that is added the bias.
    void nameVector(const OnnxNode& node) {
        const auto module = pathOf(node);
        // A quantizer's own nodes stand under the module's path, too: "MatMul_quant_scales_mul".
        if (module.empty() || node.name.compare(node.name.rfind('/') + 1, 3, node.op) != 0) {
            return;
        }
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            std::string name;
            const auto* vector = operand(node, i, name);
            if (vector != nullptr && vector->shape.rank() == 1 && vector->shape[0] > 1) {
                put(module + (node.op == "Mul" ? ".weight" : ".bias"), *vector);
            }
        }
    }

    // -- heads --------------------------------------------------------------------------------------------
    /// The whole numbers of a small constant; empty when it is none.
    std::vector<std::int64_t> numbers(const std::string& name) const {
        if (const auto list = m_numbers.find(name); list != m_numbers.end()) {
            return list->second;
        }
        const auto* tensor = constant(name);
        if (tensor == nullptr || tensor->derived != nullptr || tensor->encoding.dtype != DType::I64 ||
            tensor->bytes > 64) {
            return {};
        }
        const auto bytes = m_files[static_cast<std::size_t>(tensor->file)].file->read(tensor->offset, tensor->bytes);
        if (!bytes.ok()) {
            return {};
        }
        const auto values = bytes.value().as<std::int64_t>();
        return {values.begin(), values.end()};
    }

    /// Queries are reshaped to […, heads, size of a head].
    void readHeads(const OnnxNode& node) {
        if (m_out.heads != 0 || node.op != "Reshape" || node.inputs.size() != 2 ||
            node.name.find("layer.0/attention/self") == std::string::npos) {
            return;
        }
        std::vector<std::int64_t> shape = numbers(node.inputs[1]);
        if (shape.empty()) {
            const auto made = std::find_if(m_graph.nodes.begin(), m_graph.nodes.end(), [&](const OnnxNode& other) {
                return other.op == "Concat" && other.outputs.size() == 1 && other.outputs.front() == node.inputs[1];
            });
            if (made == m_graph.nodes.end()) {
                return;
            }
            for (const auto& input : made->inputs) {
                const auto part = numbers(input);
                shape.push_back(part.size() == 1 ? part.front() : 0);
            }
        }
        const auto* query = queryBias();
        if (shape.size() != 4 || query == nullptr || shape[3] <= 0) {
            return;
        }
        const auto width = query->shape[0];
        if (width % shape[3] == 0 && (shape[2] <= 0 || shape[2] * shape[3] == width)) {
            m_out.heads = width / shape[3];
        }
    }
    const TensorInfo* queryBias() const {
        const auto found = std::find_if(m_constants.begin(), m_constants.end(), [](const auto& entry) {
            return endsWith(entry.first, "layer.0.attention.self.query.bias");
        });
        return found == m_constants.end() || found->second.shape.rank() != 1 ? nullptr : &found->second;
    }

    Error corrupt(std::uint64_t offset, std::string reason) const {
        return makeError(ErrorCode::FileCorrupt, {{"file", m_path},
                                                  {"offset", std::to_string(offset)},
                                                  {"reason", std::move(reason)}});
    }

    const OnnxGraph& m_graph;
    std::vector<WeightFile>& m_files;
    int m_own;
    std::string m_path;
    std::map<std::string, TensorInfo> m_constants;
    std::map<std::string, std::vector<std::int64_t>> m_numbers;
    std::map<std::string, std::vector<const OnnxNode*>> m_users;
    std::map<std::string, int> m_external;
    OnnxWeights m_out;
};

}  // namespace

Result<OnnxWeights> nameOnnxWeights(const OnnxGraph& graph, std::vector<WeightFile>& files) {
    return Namer(graph, files).run();
}

}  // namespace pareto::io
