#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/file.h"

namespace pareto::io {

struct ZipEntry {
    std::string name;
    std::uint16_t method = 0;  ///< 0: stored as it is, 8: deflated
    std::uint32_t crc = 0;     ///< CRC-32 of the content
    std::uint64_t packed = 0;  ///< bytes in the archive
    std::uint64_t size = 0;    ///< bytes of the content
    std::uint64_t offset = 0;  ///< of the data in the file
};

/// Reads and checks the directory of a zip archive (PKWARE's APPNOTE.TXT 6.3, with the 64-bit records):
/// every entry's local header agrees with it, every entry's bytes lie before the directory and overlap
/// no other's, names are unique. Sorted by offset. No content is read and none unpacked.
/// FileTruncated, FileCorrupt (with offset), FileUnsafe (encrypted, in several parts).
Result<std::vector<ZipEntry>> readZipDirectory(const InputFile& file);

/// The content of a stored entry of at most `maxBytes`, its CRC checked unless it is 0. FileCorrupt, FileFormatUnknown
/// (compressed).
Result<Buffer> readStoredEntry(const InputFile& file, const ZipEntry& entry,
                               std::uint64_t maxBytes);

}  // namespace pareto::io
