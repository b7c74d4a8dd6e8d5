#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/io/model_files.h"
#include "engine/layout/names.h"
#include "engine/spec/layers.h"

namespace pareto {

class LayoutBuilder;

/// How a family's files are read.
struct FamilyFiles {
    Family family{};
    std::span<const std::string_view> modelTypes;  ///< config.json's model_type
    std::string_view architecture;                 ///< GGUF's general.architecture; empty: none
    std::span<const NameRow> names;
    void (*describeHf)(const io::ModelFiles&, LayoutBuilder&) = nullptr;
    void (*describeGguf)(const io::ModelFiles&, LayoutBuilder&) = nullptr;  ///< null: not read from GGUF
};
std::span<const FamilyFiles> familyFiles();

/// Names and readers of the families, one file each; registered in families.cpp.
std::span<const NameRow> bertNames();
void describeBert(const io::ModelFiles& files, LayoutBuilder& builder);
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

}  // namespace pareto
