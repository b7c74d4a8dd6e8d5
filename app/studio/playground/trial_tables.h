#pragma once

#include <vector>

#include <QStringList>

#include "app/studio/playground/trial_panel.h"
#include "widgets/models/cell_table_model.h"

namespace pareto::studio {

/// The answers of both sides as a table, with what differs in bold, and the main thing in words.
struct TrialTable {
    QStringList headers;
    widgets::CellTableModel::Rows rows;
    QString summary;
};

/// `inputs`: the texts that were sent. A side without a result leaves its column empty. Pure: JSON as
/// the worker's jobs answer it (engine/jobs/run/text_jobs.h) in, texts out.
TrialTable trialTable(TrialKind kind, const QStringList& inputs, const Trials& trials,
                      const SideTitles& titles);

/// Cosine of two vectors as the job "embed" gives them; NaN when their lengths differ or one is zero.
double cosineOf(const Json& a, const Json& b);
/// Start of the first word in which two texts differ, as a position in `b`; -1: they are the same.
int firstDifference(const QString& a, const QString& b);

}  // namespace pareto::studio
