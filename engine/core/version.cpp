#include "engine/core/version.h"

namespace pareto {

std::string_view programVersion() { return PARETO_VERSION; }

std::string_view programCommit() { return PARETO_COMMIT; }

}  // namespace pareto
