#pragma once

#include <cstdint>
#include <string>

namespace pareto {

/// When a process began ("self", or its number): field 22 of /proc/PID/stat (proc(5)), in clock ticks since the machine did;
/// 0 where there is no such process, it is a zombie, or it cannot be seen. With the number it means one process of a machine.
std::int64_t processStart(const std::string& process);

}  // namespace pareto
