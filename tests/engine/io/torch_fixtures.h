#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/engine/io/fixtures.h"

namespace pareto::fixtures {

inline std::uint32_t checksum(const std::string& bytes) {
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const unsigned char byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
        }
    }
    return ~crc;
}

/// One entry of a zip archive as it is written: a test changes what shall be wrong.
struct ZippedFile {
    std::string name;
    std::string content;
    std::uint16_t flags = 0;
    std::uint16_t method = 0;
    std::uint32_t crc = 0;
    std::uint64_t size = 0;
    std::uint64_t packed = 0;
    std::uint64_t offset = 0;  ///< as the directory says it
    std::string localName;
    std::string extra;  ///< of the directory

    ZippedFile(std::string entryName, std::string bytes)
        : name(std::move(entryName)),
          content(std::move(bytes)),
          crc(checksum(content)),
          size(content.size()),
          packed(content.size()),
          localName(name) {}
};

/// A zip archive. `change` sees every entry after its place is known, before the directory is written.
struct Zip {
    std::vector<ZippedFile> files;
    std::function<void(ZippedFile&)> change = [](ZippedFile&) {};
    bool wide = false;              ///< 64-bit end record and sizes
    std::uint64_t countChange = 0;  ///< added to what the end record says
    std::uint64_t beginChange = 0;
    std::string comment;

    std::string bytes() const {
        std::string out;
        std::string directory;
        for (auto file : files) {
            file.offset = out.size();
            change(file);
            out += "PK\x03\x04" + u16(20) + u16(file.flags) + u16(file.method) + u32(0) +
                   u32(file.crc) + u32(file.packed) + u32(file.size) + u16(file.localName.size()) +
                   u16(0) + file.localName + file.content;
            const auto place = [&](std::uint64_t value) { return u32(wide ? 0xFFFFFFFF : value); };
            const auto extra =
                file.extra + (wide ? u16(1) + u16(24) + littleEndian(file.size) +
                                         littleEndian(file.packed) + littleEndian(file.offset)
                                   : std::string());
            directory += "PK\x01\x02" + u16(20) + u16(20) + u16(file.flags) + u16(file.method) +
                         u32(0) + u32(file.crc) + place(file.packed) + place(file.size) +
                         u16(file.name.size()) + u16(extra.size()) + std::string(10, '\0') +
                         place(file.offset) + file.name + extra;
        }
        const std::uint64_t begin = out.size() + beginChange;
        const std::uint64_t count = files.size() + countChange;
        const std::uint64_t end64 = out.size() + directory.size();
        const auto size = directory.size();
        out += directory;
        if (wide) {
            out += "PK\x06\x06" + littleEndian(std::uint64_t{44}) + std::string(12, '\0') +
                   littleEndian(count) + littleEndian(count) + littleEndian(std::uint64_t{size}) +
                   littleEndian(begin) + "PK\x06\x07" + u32(0) + littleEndian(end64) + u32(1);
        }
        return out + "PK\x05\x06" + u32(0) +
               (wide ? std::string(12, '\xFF') : u16(count) + u16(count) + u32(size) + u32(begin)) +
               u16(comment.size()) + comment;
    }

private:
    static std::string u16(std::uint64_t value) {
        return littleEndian(static_cast<std::uint16_t>(value));
    }
    static std::string u32(std::uint64_t value) {
        return littleEndian(static_cast<std::uint32_t>(value));
    }
};

// Pieces of a pickle, by the names of pickletools.
inline std::string pickleText(const std::string& text) {
    return "X" + littleEndian(static_cast<std::uint32_t>(text.size())) + text;
}
inline std::string pickleGlobal(const std::string& module, const std::string& name) {
    return "c" + module + "\n" + name + "\n";
}
inline std::string pickleInt(std::int32_t value) { return "J" + littleEndian(value); }
inline std::string pickleLong(std::int64_t value) { return "\x8A\x08" + littleEndian(value); }
inline std::string pickleTuple(const std::vector<std::string>& items) {
    std::string out = "(";
    for (const auto& item : items) {
        out += item;
    }
    return out + "t";
}

/// A tensor of `elements` floats in storage `key`: every part may be replaced.
struct PickledParts {
    std::string storageType = pickleGlobal("torch", "FloatStorage");
    std::string key = pickleText("0");
    std::string elements = pickleInt(6);
    std::string offset = pickleInt(0);
    std::string sizes = pickleTuple({pickleInt(2), pickleInt(3)});
    std::string strides = pickleTuple({pickleInt(3), pickleInt(1)});
    std::string tag = pickleText("storage");
    std::string rebuild = pickleGlobal("torch._utils", "_rebuild_tensor_v2");
    std::string rest = "\x89" + pickleGlobal("collections", "OrderedDict") + ")R";

    std::string bytes() const {
        return rebuild +
               pickleTuple({pickleTuple({tag, storageType, key, pickleText("cpu"), elements}) + "Q",
                            offset, sizes, strides, rest}) +
               "R";
    }
};

/// {name: value} as a whole pickle of protocol 2.
inline std::string pickledDict(const std::string& name, const std::string& value) {
    return "\x80\x02}" + pickleText(name) + value + "s.";
}
/// What torch.save would make of it, with one storage "0" of `dataBytes` bytes.
inline Zip torchZip(const std::string& pickle, std::size_t dataBytes = 24) {
    Zip zip;
    zip.files.emplace_back("archive/data.pkl", pickle);
    zip.files.emplace_back("archive/byteorder", "little");
    zip.files.emplace_back("archive/data/0", std::string(dataBytes, '\1'));
    zip.files.emplace_back("archive/version", "3\n");
    return zip;
}
inline Zip validTorchZip() { return torchZip(pickledDict("a", PickledParts{}.bytes())); }

/// The format before torch 1.6 with the storages "0" of 24 bytes, or what a test makes of its parts.
struct LegacyTorch {
    std::string magic = std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
    std::string protocol = std::string("\x80\x02M\xE9\x03.", 6);
    std::string machine = "\x80\x02}" + pickleText("little_endian") + "\x88s.";
    std::string state = pickledDict("a", PickledParts{}.bytes());
    std::string keys = "\x80\x02](" + pickleText("0") + "e.";
    std::string storages = littleEndian(std::int64_t{6}) + std::string(24, '\1');
    std::string bytes() const { return magic + protocol + machine + state + keys + storages; }
};

}  // namespace pareto::fixtures
