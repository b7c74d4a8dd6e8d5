#pragma once

#include <string>

namespace pareto::io {

/// The folder of the Hugging Face cache: $HF_HUB_CACHE, $HF_HOME/hub, else the user's cache folder
/// (huggingface_hub, "Manage your cache"). It is only ever read.
std::string huggingFaceCacheFolder();

/// "organization/name" -> its repository folder in the cache; empty when the text has another form or
/// the repository is not there.
std::string cachedRepository(const std::string& name);

/// The name people know a cached repository or snapshot by ("organization/name"); empty for any other path.
std::string repositoryNameOf(const std::string& path);

}  // namespace pareto::io
