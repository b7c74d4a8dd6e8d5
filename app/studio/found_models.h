#pragma once

#include <vector>

#include <QString>

namespace pareto::studio {

struct FoundModel {
    QString title;  ///< "sentence-transformers/all-MiniLM-L6-v2"
    QString path;
};
/// Models of the Hugging Face cache ($HF_HUB_CACHE, $HF_HOME/hub, else ~/.cache/huggingface/hub): the
/// newest snapshot of each that has a configuration and weights. Reads folders only, writes nothing.
std::vector<FoundModel> huggingFaceCache();
/// Models in the folder of samples.
std::vector<FoundModel> sampleModels();

}  // namespace pareto::studio
