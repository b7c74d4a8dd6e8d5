#include "engine/core/progress.h"

#include <array>

namespace pareto {
namespace {

struct StageText {
    std::string_view name;
    std::string_view text;
};

constexpr std::array<StageText, kStageCount> kStages{{
    {"idle", "Idle"},
    {"opening", "Opening the model"},
    {"tokenizing", "Tokenizing"},
    {"calibrating", "Calibrating"},
    {"pruning", "Pruning"},
    {"quantizing", "Quantizing"},
    {"packing", "Packing weights"},
    {"waiting_for_machine", "Waiting: another process measures on this machine"},
    {"warming_up", "Warming up"},
    {"timing", "Timing"},
    {"evaluating", "Evaluating"},
    {"generating", "Generating"},
    {"writing", "Writing"},
    {"verifying", "Reading back"},
    {"counting", "Counting values"},
    {"training", "Training"},
    {"reconstructing", "Fitting blocks to the untouched model"},
    {"starting_ranks", "Starting the processes that compute together"},
}};

constexpr std::array<std::string_view, 6> kUnits{"",       "layers", "samples",
                                                 "tokens", "bytes",  "iterations"};

}  // namespace

std::string_view stageName(Stage stage) { return kStages[static_cast<std::size_t>(stage)].name; }
std::string_view stageText(Stage stage) { return kStages[static_cast<std::size_t>(stage)].text; }

bool stageFromName(std::string_view name, Stage& stage) {
    for (std::size_t i = 0; i < kStages.size(); ++i) {
        if (kStages[i].name == name) {
            stage = static_cast<Stage>(i);
            return true;
        }
    }
    return false;
}

std::string_view unitName(Unit unit) { return kUnits[static_cast<std::size_t>(unit)]; }

}  // namespace pareto
