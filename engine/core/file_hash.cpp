#include "engine/core/file_hash.h"

#include <algorithm>

#include "engine/core/file.h"
#include "engine/core/hash.h"

namespace pareto {

Result<std::string> hashFile(const std::string& path, std::stop_token stop) {
    constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;
    PARETO_TRY(const auto file, InputFile::open(path));
    Sha256 hash;
    for (std::uint64_t at = 0; at < file->size(); at += kPiece) {
        if (stop.stop_requested()) {
            return Cancelled{};
        }
        PARETO_TRY(const Buffer piece, file->read(at, std::min(kPiece, file->size() - at)));
        hash.add(piece.bytes());
    }
    return hash.hex();
}

}  // namespace pareto
