#pragma once

#include <string>

#include "engine/core/json.h"
#include "engine/records/run_record.h"

/// The JSON keys and the text of measured runs, shared by run, bench and eval.
namespace pareto::cli {

Json benchJson(const RunRecord& record);
Json evalJson(const RunRecord& record);
/// A line with what was read of the GPU (a run's details["gpu"], a profile's `gpu`); empty: nothing was.
std::string gpuText(const Json& gpu);
/// Every figure of the record with its interval, one a line; then remarks (disturbed, notes).
std::string figuresText(const RunRecord& record);
/// The slowest layers and phases with their share; empty when nothing was traced.
std::string layersText(const RunRecord& record);
/// The layers that compressing hurt most, by the error of their outputs where that was measured, else by that of
/// their weights; empty when it changed none.
std::string compressionText(const RunRecord& record);

}  // namespace pareto::cli
