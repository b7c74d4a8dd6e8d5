#pragma once

#include "app/studio/run_frame.h"
#include "widgets/models/run_columns.h"

namespace pareto::studio {

/// The frame as the columns that table and plots share. The same frame gives the same columns, so that
/// 100,000 runs are converted once. GUI thread.
widgets::RunColumnsPtr runColumnsOf(const RunFramePtr& frame);

}  // namespace pareto::studio
