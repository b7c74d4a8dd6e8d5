#include "engine/runtime/measured_choices.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/core/cpu_info.h"
#include "engine/core/file.h"
#include "engine/core/folders.h"
#include "engine/core/json.h"
#include "engine/core/version.h"

namespace pareto::runtime {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string fileOfMachine() {
    if (const char* asked = std::getenv("PARETO_KERNEL_CHOICES"); asked != nullptr && *asked != '\0') {
        return std::string(asked) == "off" ? std::string() : asked;
    }
    const auto folder = userFolder("XDG_CACHE_HOME", ".cache");
    return folder.empty() ? folder : folder + "/kernel_choices.json";
}

}  // namespace

MeasuredChoices::MeasuredChoices(std::string file, std::string machine) : m_file(std::move(file)), m_machine(std::move(machine)) {}

MeasuredChoices& MeasuredChoices::ofMachine() {
    static MeasuredChoices all(fileOfMachine(), cpuInfo("model name") + ", program " + std::string(programVersion()));
    return all;
}

std::optional<std::vector<double>> MeasuredChoices::find(const std::string& key) {
    const std::lock_guard lock(m_mutex);
    load();
    const auto found = m_choices.find(key);
    return found == m_choices.end() ? std::nullopt : std::optional(found->second);
}

void MeasuredChoices::put(const std::string& key, const std::vector<double>& figures, bool steady) {
    const std::lock_guard lock(m_mutex);
    load();
    m_choices[key] = figures;
    if (steady) {
        m_steady[key] = figures;
        write();
    }
}

void MeasuredChoices::load() {
    if (!m_loaded) {
        m_choices = read();
        m_loaded = true;
    }
}

MeasuredChoices::Choices MeasuredChoices::read() const {
    Choices out;
    const auto text = m_file.empty() ? Result<std::string>(std::string()) : readTextFile(m_file, kMostBytes);
    const Json json = text.ok() ? Json::parse(text.value(), nullptr, false) : Json();
    if (!json.is_object() || json.value("machine", Json()) != m_machine || !json.value("choices", Json()).is_object()) {
        return out;
    }
    for (const auto& [key, figures] : json["choices"].items()) {
        const bool numbers = figures.is_array() && std::all_of(figures.begin(), figures.end(), [](const Json& value) {
            return value.is_number();
        });
        if (numbers) {
            out.emplace(key, figures.get<std::vector<double>>());
        }
    }
    return out;
}

/// Beside what other processes have written since.
void MeasuredChoices::write() const {
    if (m_file.empty()) {
        return;
    }
    Choices all = read();
    for (const auto& [key, figures] : m_steady) {
        all[key] = figures;
    }
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(m_file).parent_path(), ignored);
    (void)writeFileAtomically(m_file, Json{{"machine", m_machine}, {"choices", all}}.dump(1));
}

}  // namespace pareto::runtime
