#include "engine/io/hf_cache.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace pareto::io {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "models--";

std::string setting(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

bool plainPart(const std::string& part) {
    return !part.empty() && part.front() != '.' &&
           part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
               std::string::npos;
}

}  // namespace

std::string huggingFaceCacheFolder() {
    if (const auto hub = setting("HF_HUB_CACHE"); !hub.empty()) {
        return hub;
    }
    if (const auto home = setting("HF_HOME"); !home.empty()) {
        return home + "/hub";
    }
    const auto cache = setting("XDG_CACHE_HOME");
    return (cache.empty() ? setting("HOME") + "/.cache" : cache) + "/huggingface/hub";
}

std::string cachedRepository(const std::string& name) {
    const auto slash = name.find('/');
    if (slash == std::string::npos || !plainPart(name.substr(0, slash)) || !plainPart(name.substr(slash + 1))) {
        return {};
    }
    const fs::path folder = fs::path(huggingFaceCacheFolder()) /
                            (std::string(kPrefix) + name.substr(0, slash) + "--" + name.substr(slash + 1));
    std::error_code problem;
    return fs::is_directory(folder, problem) ? folder.string() : std::string();
}

std::string repositoryNameOf(const std::string& path) {
    fs::path folder(path);
    if (folder.parent_path().filename() == "snapshots") {
        folder = folder.parent_path().parent_path();
    }
    std::string name = folder.filename().string();
    if (name.rfind(kPrefix, 0) != 0) {
        return {};
    }
    name.erase(0, kPrefix.size());
    if (const auto dashes = name.find("--"); dashes != std::string::npos) {
        name.replace(dashes, 2, "/");
    }
    return name;
}

}  // namespace pareto::io
