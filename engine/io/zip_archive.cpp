#include "engine/io/zip_archive.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "engine/io/checked.h"
#include "engine/io/file_cursor.h"
#include "engine/io/utf8.h"

namespace pareto::io {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054B50;
constexpr std::uint32_t kEnd64Signature = 0x06064B50;
constexpr std::uint32_t kLocator64Signature = 0x07064B50;
constexpr std::uint32_t kDirectorySignature = 0x02014B50;
constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kLocator64Bytes = 20;
constexpr std::uint64_t kEnd64Bytes = 56;
constexpr std::uint64_t kDirectoryBytes = 46;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kMaxCommentBytes = 65535;
constexpr std::uint64_t kMaxEntries = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kMaxNameBytes = 4096;
constexpr std::uint16_t kExtra64 = 1;
constexpr std::uint16_t kEncrypted = 1;

template <typename T>
T numberAt(std::span<const std::byte> bytes, std::size_t offset) {
    T value{};
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::uint32_t crc32(std::span<const std::byte> bytes) {
    static const auto kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value >> 1) ^ ((value & 1U) != 0 ? 0xEDB88320U : 0U);
            }
            table[i] = value;
        }
        return table;
    }();
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const auto byte : bytes) {
        crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU];
    }
    return ~crc;
}

class DirectoryReader {
public:
    explicit DirectoryReader(const InputFile& file) : m_file(file), m_size(file.size()) {}

    Result<std::vector<ZipEntry>> run() {
        PARETO_CHECK(findEnd());
        FileCursor cursor(m_file, m_begin, m_begin + m_bytes);
        for (std::uint64_t i = 0; i < m_count; ++i) {
            PARETO_CHECK(readEntry(cursor));
        }
        if (cursor.remaining() != 0) {
            return corrupt(cursor.offset(), "bytes follow the last entry of its directory");
        }
        PARETO_CHECK(checkPlaces());
        return std::move(m_entries);
    }

private:
    Error corrupt(std::uint64_t offset, std::string reason) const {
        return makeError(ErrorCode::FileCorrupt, {{"file", m_file.path()},
                                                  {"offset", std::to_string(offset)},
                                                  {"reason", std::move(reason)}});
    }
    Error unsafe(std::string reason) const {
        return makeError(ErrorCode::FileUnsafe,
                         {{"file", m_file.path()}, {"reason", std::move(reason)}});
    }

    /// The end record stands last, before nothing but a comment of the length it says.
    Status findEnd() {
        const auto tail = std::min(m_size, kEndBytes + kMaxCommentBytes);
        PARETO_TRY(const Buffer buffer, m_file.read(m_size - tail, tail));
        const auto bytes = buffer.bytes();
        for (std::uint64_t back = kEndBytes; back <= tail; ++back) {
            const auto at = static_cast<std::size_t>(tail - back);
            if (numberAt<std::uint32_t>(bytes, at) == kEndSignature &&
                numberAt<std::uint16_t>(bytes, at + 20) == back - kEndBytes) {
                return readEnd(bytes.subspan(at, kEndBytes), m_size - back);
            }
        }
        return makeError(ErrorCode::FileTruncated,
                         {{"file", m_file.path()},
                          {"expected", "more than " + std::to_string(m_size)},
                          {"found", std::to_string(m_size)}},
                         "the end record of the zip archive is missing");
    }

    Status readEnd(std::span<const std::byte> end, std::uint64_t at) {
        if (numberAt<std::uint16_t>(end, 4) != 0 && numberAt<std::uint16_t>(end, 4) != 0xFFFF) {
            return unsafe("it is one part of a zip archive in several");
        }
        m_count = numberAt<std::uint16_t>(end, 10);
        m_bytes = numberAt<std::uint32_t>(end, 12);
        m_begin = numberAt<std::uint32_t>(end, 16);
        std::uint64_t limit = at;
        if (m_count == 0xFFFF || m_bytes == 0xFFFFFFFF || m_begin == 0xFFFFFFFF) {
            PARETO_CHECK(readEnd64(at));
            limit = m_end64;
        }
        std::uint64_t directoryEnd = 0;
        if (m_bytes > kMaxDirectoryBytes || !checkedAdd(m_begin, m_bytes, directoryEnd) ||
            directoryEnd > limit) {
            return corrupt(at, "its directory is said to lie at " + std::to_string(m_begin) +
                                   " and have " + std::to_string(m_bytes) +
                                   " bytes, beyond its end");
        }
        if (m_count > kMaxEntries || m_count * kDirectoryBytes > m_bytes) {
            return corrupt(at, std::to_string(m_count) + " entries are announced, more than fit");
        }
        return Done{};
    }

    Status readEnd64(std::uint64_t at) {
        if (at < kLocator64Bytes + kEnd64Bytes) {
            return corrupt(at, "the 64-bit end record is missing");
        }
        PARETO_TRY(const Buffer locator, m_file.read(at - kLocator64Bytes, kLocator64Bytes));
        if (numberAt<std::uint32_t>(locator.bytes(), 0) != kLocator64Signature) {
            return corrupt(at - kLocator64Bytes, "the 64-bit end record is missing");
        }
        m_end64 = numberAt<std::uint64_t>(locator.bytes(), 8);
        if (m_end64 > at - kLocator64Bytes - kEnd64Bytes) {
            return corrupt(at - kLocator64Bytes,
                           "the 64-bit end record is not where it is said to be");
        }
        PARETO_TRY(const Buffer end, m_file.read(m_end64, kEnd64Bytes));
        if (numberAt<std::uint32_t>(end.bytes(), 0) != kEnd64Signature) {
            return corrupt(m_end64, "the 64-bit end record is not where it is said to be");
        }
        m_count = numberAt<std::uint64_t>(end.bytes(), 32);
        m_bytes = numberAt<std::uint64_t>(end.bytes(), 40);
        m_begin = numberAt<std::uint64_t>(end.bytes(), 48);
        return Done{};
    }

    Status readEntry(FileCursor& cursor) {
        const auto at = cursor.offset();
        std::array<std::byte, kDirectoryBytes> fixed{};
        PARETO_CHECK(cursor.copy(fixed.data(), fixed.size()));
        if (numberAt<std::uint32_t>(fixed, 0) != kDirectorySignature) {
            return corrupt(at, "an entry of its directory is expected here");
        }
        if ((numberAt<std::uint16_t>(fixed, 8) & kEncrypted) != 0) {
            return unsafe("it is an encrypted zip archive");
        }
        ZipEntry entry;
        entry.method = numberAt<std::uint16_t>(fixed, 10);
        entry.crc = numberAt<std::uint32_t>(fixed, 16);
        entry.packed = numberAt<std::uint32_t>(fixed, 20);
        entry.size = numberAt<std::uint32_t>(fixed, 24);
        entry.offset = numberAt<std::uint32_t>(fixed, 42);
        const std::uint64_t nameBytes = numberAt<std::uint16_t>(fixed, 28);
        const std::uint64_t extraBytes = numberAt<std::uint16_t>(fixed, 30);
        const std::uint64_t commentBytes = numberAt<std::uint16_t>(fixed, 32);
        if (nameBytes == 0 || nameBytes > kMaxNameBytes) {
            return corrupt(at, "the name of an entry has " + std::to_string(nameBytes) + " bytes");
        }
        std::vector<std::byte> rest(nameBytes + extraBytes + commentBytes);
        PARETO_CHECK(cursor.copy(rest.data(), rest.size()));
        entry.name.assign(reinterpret_cast<const char*>(rest.data()), nameBytes);
        if (!isUtf8(entry.name)) {
            return corrupt(at, "the name of an entry is not UTF-8");
        }
        PARETO_CHECK(widen(entry, std::span(rest).subspan(nameBytes, extraBytes), at));
        if (!m_names.insert(entry.name).second) {
            return corrupt(at, "the entry " + entry.name + " stands twice");
        }
        if (entry.method == 0 && entry.packed != entry.size) {
            return corrupt(at, "the entry " + entry.name + " is not compressed but has two sizes");
        }
        m_entries.push_back(std::move(entry));
        return Done{};
    }

    /// Numbers that do not fit into 32 bits stand in the extra field 1, in this order.
    Status widen(ZipEntry& entry, std::span<const std::byte> extra, std::uint64_t at) const {
        std::span<const std::byte> wide;
        while (extra.size() >= 4) {
            const auto id = numberAt<std::uint16_t>(extra, 0);
            const std::size_t bytes = numberAt<std::uint16_t>(extra, 2);
            if (bytes > extra.size() - 4) {
                return corrupt(at, "an extra field of the entry " + entry.name + " is too long");
            }
            if (id == kExtra64) {
                wide = extra.subspan(4, bytes);
            }
            extra = extra.subspan(4 + bytes);
        }
        for (auto* number : {&entry.size, &entry.packed, &entry.offset}) {
            if (*number != 0xFFFFFFFF) {
                continue;
            }
            if (wide.size() < 8) {
                return corrupt(at, "the entry " + entry.name + " lacks its 64-bit sizes");
            }
            *number = numberAt<std::uint64_t>(wide, 0);
            wide = wide.subspan(8);
        }
        return Done{};
    }

    /// Local headers repeat the name and say where the data begins. Data that overlaps is how an archive
    /// unpacks to more than it holds.
    Status checkPlaces() {
        std::sort(m_entries.begin(), m_entries.end(),
                  [](const ZipEntry& a, const ZipEntry& b) { return a.offset < b.offset; });
        std::uint64_t free = 0;
        for (auto& entry : m_entries) {
            const auto header = entry.offset;
            if (header < free) {
                return corrupt(header, "the entry " + entry.name + " overlaps another");
            }
            if (header > m_begin || m_begin - header < kLocalBytes + entry.name.size()) {
                return corrupt(m_begin, "the entry " + entry.name + " is said to lie at " +
                                            std::to_string(header) + ", not before the directory");
            }
            std::vector<std::byte> local(kLocalBytes + entry.name.size());
            PARETO_CHECK(m_file.readAt(header, local));
            const auto name = std::span(local).subspan(kLocalBytes);
            if (numberAt<std::uint32_t>(local, 0) != kLocalSignature ||
                numberAt<std::uint16_t>(local, 26) != entry.name.size() ||
                std::memcmp(name.data(), entry.name.data(), name.size()) != 0) {
                return corrupt(header,
                               "the header of the entry " + entry.name + " is expected here");
            }
            entry.offset = header + local.size() + numberAt<std::uint16_t>(local, 28);
            if (entry.offset > m_begin || entry.packed > m_begin - entry.offset) {
                return corrupt(header, "the entry " + entry.name + " of " +
                                           std::to_string(entry.packed) +
                                           " bytes reaches into the directory");
            }
            free = entry.offset + entry.packed;
        }
        return Done{};
    }

    const InputFile& m_file;
    std::uint64_t m_size;
    std::uint64_t m_begin = 0;  ///< the directory
    std::uint64_t m_bytes = 0;
    std::uint64_t m_count = 0;
    std::uint64_t m_end64 = 0;
    std::vector<ZipEntry> m_entries;
    std::unordered_set<std::string> m_names;
};

}  // namespace

Result<std::vector<ZipEntry>> readZipDirectory(const InputFile& file) {
    return DirectoryReader(file).run();
}

Result<Buffer> readStoredEntry(const InputFile& file, const ZipEntry& entry,
                               std::uint64_t maxBytes) {
    const auto corrupt = [&](std::string reason) {
        return makeError(ErrorCode::FileCorrupt,
                         {{"file", file.path()},
                          {"offset", std::to_string(entry.offset)},
                          {"reason", "the entry " + entry.name + " " + reason}});
    };
    if (entry.method != 0) {
        return makeError(ErrorCode::FileFormatUnknown,
                         {{"file", file.path()},
                          {"reason", "its entry " + entry.name + " is compressed (method " +
                                         std::to_string(entry.method) + ")"}});
    }
    if (entry.size > maxBytes) {
        return corrupt("has " + std::to_string(entry.size) + " bytes, at most " +
                       std::to_string(maxBytes) + " are allowed");
    }
    PARETO_TRY(Buffer bytes, file.read(entry.offset, entry.size));
    // torch.save can be told to leave checksums out (set_crc32_options): zeros then.
    if (entry.crc != 0 && crc32(bytes.bytes()) != entry.crc) {
        return corrupt("does not agree with its checksum");
    }
    return bytes;
}

}  // namespace pareto::io
