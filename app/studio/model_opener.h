#pragma once

#include <stop_token>

#include <QString>

#include "app/studio/recipe_document.h"
#include "engine/core/result.h"

namespace pareto::studio {

/// Reads the headers of a model (never a weight). Called in the pool: blocking, no GUI.
Result<ModelPtr> readModel(const QString& path);
/// The model's content hash as runs carry it; reads every byte once.
Result<QString> readContentHash(const QString& path, std::stop_token stop);

}  // namespace pareto::studio
