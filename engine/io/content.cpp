#include "engine/io/content.h"

#include <array>
#include <cstring>
#include <filesystem>

#include "engine/io/pickle.h"

namespace pareto::io {
namespace fs = std::filesystem;
namespace {

bool isInside(const fs::path& path, const fs::path& folder) {
    auto part = path.begin();
    for (const auto& wanted : folder) {
        if (wanted.empty()) {
            continue;  // a trailing slash
        }
        if (part == path.end() || *part != wanted) {
            return false;
        }
        ++part;
    }
    return true;
}

/// A relative path without tricks: no "..", not absolute, no NUL, no backslash.
bool isPlainRelative(const std::string& path) {
    if (path.empty() || path.size() > 4096 || path.front() == '/' ||
        path.find('\0') != std::string::npos || path.find('\\') != std::string::npos) {
        return false;
    }
    for (const auto& part : fs::path(path)) {
        if (part == "..") {
            return false;
        }
    }
    return true;
}

Error unsafe(const std::string& path, std::string reason) {
    return makeError(ErrorCode::FileUnsafe, {{"file", path}, {"reason", std::move(reason)}});
}

/// ModelProto: its version, then any other of its fields.
bool beginsAsOnnx(std::span<const unsigned char> head) {
    constexpr std::string_view kTags("\x12\x1A\x22\x28\x32\x3A\x42", 7);
    return head.size() >= 3 && head[0] == 0x08 && head[1] >= 1 && head[1] < 64 &&
           kTags.find(static_cast<char>(head[2])) != std::string_view::npos;
}

/// A small version, then the length of a name that ends with "Spec" and a zero.
bool beginsAsCTranslate2(std::span<const unsigned char> head) {
    if (head.size() < 12 || head[0] == 0 || head[0] > 99 || head[1] != 0 || head[2] != 0 || head[3] != 0) {
        return false;
    }
    const std::size_t length = std::size_t{head[4]} | std::size_t{head[5]} << 8;
    return length > 5 && length <= head.size() - 6 &&
           std::memcmp(head.data() + 6 + length - 5, "Spec", 5) == 0;
}

}  // namespace

Result<Content> contentOf(const InputFile& file) {
    std::array<unsigned char, 512> head{};
    const auto size = std::min<std::uint64_t>(head.size(), file.size());
    PARETO_CHECK(file.readAt(0, std::as_writable_bytes(std::span(head).first(size))));
    if (size >= 4 && std::memcmp(head.data(), "GGUF", 4) == 0) {
        return Content::Gguf;
    }
    std::uint64_t length = 0;
    std::memcpy(&length, head.data(), sizeof length);
    // A header length may look like a pickle's or a zip's first bytes; the brace after it and a length
    // that fits decide.
    if (size > 8 && head[8] == '{' && length <= file.size() - 8) {
        return Content::Safetensors;
    }
    if (size >= 4 && (std::memcmp(head.data(), "PK\x03\x04", 4) == 0 ||
                      std::memcmp(head.data(), "PK\x05\x06", 4) == 0)) {
        return Content::Zip;
    }
    const bool binaryPickle = size >= 2 && head[0] == 0x80 && head[1] >= 1 && head[1] <= 5;
    const bool textPickle = size >= 4 && (std::memcmp(head.data(), "(dp", 3) == 0 ||
                                          std::memcmp(head.data(), "(lp", 3) == 0 ||
                                          std::memcmp(head.data(), "cos\n", 4) == 0 ||
                                          std::memcmp(head.data(), "cpos", 4) == 0);
    const bool tar = size >= 265 && std::memcmp(head.data() + 257, "ustar", 5) == 0;
    if (binaryPickle || textPickle || tar) {
        return Content::Pickle;
    }
    const auto start = std::span<const unsigned char>(head).first(size);
    if (beginsAsCTranslate2(start)) {
        return Content::CTranslate2;
    }
    if (beginsAsOnnx(start)) {
        return Content::Onnx;
    }
    return size > 8 && head[8] == '{' ? Content::Safetensors : Content::Other;
}

Error pickleRefusal(const std::string& path, Content content) {
    return unsafe(path, std::string(content == Content::Zip
                                        ? "it is a zip archive that is no PyTorch state dict and may hold "
                                          "a Python pickle"
                                        : "it is a Python pickle that is no PyTorch state dict") +
                            ", which can run any program when others read it. " + pickleAdvice());
}

Error disguisedPickle(const std::string& path) {
    return unsafe(path, "its name says safetensors or GGUF, but it is a Python pickle or an archive that may "
                        "hold one. " + pickleAdvice());
}

Result<ModelRoot> ModelRoot::open(const std::string& folder) {
    std::error_code problem;
    ModelRoot root;
    fs::path path = fs::absolute(fs::path(folder), problem).lexically_normal();
    if (!path.has_filename()) {
        path = path.parent_path();
    }
    root.m_folder = path.string();
    const fs::path resolved = fs::canonical(path, problem);
    if (problem) {
        return makeError(ErrorCode::FileMissing, {{"file", folder}}, problem.message());
    }
    root.m_resolved = resolved.string();
    for (auto above = resolved; above.has_relative_path(); above = above.parent_path()) {
        const auto blobs = above.parent_path() / "blobs";
        if (above.filename() == "snapshots" && fs::is_directory(fs::symlink_status(blobs, problem))) {
            root.m_blobs = blobs.string();
            break;
        }
    }
    return root;
}

std::string ModelRoot::path(const std::string& relative) const {
    return (fs::path(m_folder) / relative).lexically_normal().string();
}

bool ModelRoot::exists(const std::string& relative) const {
    std::error_code problem;
    // A dangling link exists too: opening it then says what is missing.
    return isPlainRelative(relative) && fs::exists(fs::symlink_status(path(relative), problem));
}

Status ModelRoot::contain(const std::string& relative, std::string& resolved) const {
    if (!isPlainRelative(relative)) {
        return unsafe((fs::path(m_folder) / relative).string(),
                      "its path leads out of the model's folder or is not a plain relative path");
    }
    std::error_code problem;
    const fs::path target = fs::canonical(fs::path(m_resolved) / relative, problem);
    if (problem) {
        return makeError(ErrorCode::FileMissing, {{"file", path(relative)}}, problem.message());
    }
    if (!isInside(target, m_resolved) && (m_blobs.empty() || !isInside(target, m_blobs))) {
        return unsafe(path(relative), "it is a link to " + target.string() +
                                          ", outside the model's folder. Copy the file into the folder");
    }
    resolved = target.string();
    return Done{};
}

Result<std::shared_ptr<InputFile>> ModelRoot::openFile(const std::string& relative) const {
    std::string resolved;
    PARETO_CHECK(contain(relative, resolved));
    return InputFile::open(resolved);
}

Result<std::string> ModelRoot::readText(const std::string& relative, std::size_t maxBytes) const {
    std::string resolved;
    PARETO_CHECK(contain(relative, resolved));
    return readTextFile(resolved, maxBytes);
}

}  // namespace pareto::io
