#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/io/model_files.h"
#include "engine/layout/names.h"
#include "engine/spec/layers.h"

namespace pareto {

class LayoutBuilder;
struct EncoderTraits;

/// What config.json calls the sizes that structured pruning changes.
struct ConfigKeys {
    std::string_view blocks = "num_hidden_layers";   ///< how often blocks are run
    std::string_view heads = "num_attention_heads";
    std::string_view neurons = "intermediate_size";
    std::string_view ownBlocks = {};                 ///< blocks with weights of their own; empty: all
};

/// How a family's files are read.
struct FamilyFiles {
    Family family{};
    std::span<const std::string_view> modelTypes;  ///< config.json's model_type
    std::string_view architecture;                 ///< GGUF's general.architecture; empty: none
    std::span<const NameRow> names;
    void (*describeHf)(const io::ModelFiles&, LayoutBuilder&) = nullptr;
    void (*describeGguf)(const io::ModelFiles&, LayoutBuilder&) = nullptr;  ///< null: not read from GGUF
    ConfigKeys keys{};
    EncoderTraits (*traits)() = nullptr;  ///< of encoders
};
std::span<const FamilyFiles> familyFiles();
const ConfigKeys& configKeysOf(Family family);

/// Names and readers of the families, one file each; registered in families.cpp.
std::span<const NameRow> bertNames();
void describeBert(const io::ModelFiles& files, LayoutBuilder& builder);
void describeBertGguf(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> robertaNames();
void describeRoberta(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> distilBertNames();
void describeDistilBert(const io::ModelFiles& files, LayoutBuilder& builder);
inline constexpr ConfigKeys kDistilBertKeys{"n_layers", "n_heads", "hidden_dim"};
std::span<const NameRow> electraNames();
void describeElectra(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> mpnetNames();
void describeMpnet(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> albertNames();
void describeAlbert(const io::ModelFiles& files, LayoutBuilder& builder);
inline constexpr ConfigKeys kAlbertKeys{.ownBlocks = "num_hidden_groups"};
std::span<const NameRow> llamaNames();
void describeLlamaHf(const io::ModelFiles& files, LayoutBuilder& builder);
void describeLlamaGguf(const io::ModelFiles& files, LayoutBuilder& builder);
void describeMistralHf(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> qwenNames();
void describeQwenHf(const io::ModelFiles& files, LayoutBuilder& builder);
void describeQwenGguf(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> gemmaNames();
void describeGemmaHf(const io::ModelFiles& files, LayoutBuilder& builder);
void describeGemmaGguf(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> gpt2Names();
void describeGpt2Hf(const io::ModelFiles& files, LayoutBuilder& builder);
void describeGpt2Gguf(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> t5Names();
void describeT5Hf(const io::ModelFiles& files, LayoutBuilder& builder);
void describeT5Gguf(const io::ModelFiles& files, LayoutBuilder& builder);
std::span<const NameRow> marianNames();
void describeMarian(const io::ModelFiles& files, LayoutBuilder& builder);

}  // namespace pareto
