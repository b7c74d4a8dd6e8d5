// new_head_tool MODEL OUT SEED LABEL LABEL… gives the encoder MODEL a new classifier, writes it to the folder OUT
// and answers on stdout what it computes: JSON lines {"ids": [[…]], "types": [[…]]} on stdin become
// {"logits": [[…]]}. For tests/peers/new_heads_peer.py.
#include <cstdio>
#include <iostream>
#include <string>

#include "engine/core/json.h"
#include "engine/export/exporter.h"
#include "engine/layout/describe.h"
#include "engine/models/model.h"
#include "engine/weights/load.h"
#include "engine/weights/new_head.h"

using namespace pareto;

namespace {

Result<LoadedModel> make(char** words, int count) {
    Progress progress;
    PARETO_TRY(const auto files, io::ModelFiles::open(words[1]));
    PARETO_TRY(auto layout, describeModel(*files));
    PARETO_TRY(const auto model, loadWeights(*files, std::move(layout), progress, {}));
    PARETO_TRY(auto made, withClassifier(model, std::vector<std::string>(words + 4, words + count),
                                         std::stoull(words[3]), files.get()));
    exporting::ExportRequest request;
    request.target = words[2];
    PARETO_TRY(const auto outcome, exporting::exportModel(made, *files, request, progress, {}));
    return made;
}

Result<Json> answer(const models::RunnableModel& model, const Json& request) {
    models::TokenBatch batch;
    batch.ids = request.at("ids").get<std::vector<std::vector<std::int32_t>>>();
    if (request.contains("types")) {
        batch.typeIds = request.at("types").get<std::vector<std::vector<std::int32_t>>>();
    }
    PARETO_TRY(const auto out, model.encoder->run(batch, {}));
    Json rows = Json::array();
    for (std::int64_t i = 0; i < out.rows; ++i) {
        rows.push_back(std::vector<float>(out.row(i).begin(), out.row(i).end()));
    }
    return Json{{"logits", std::move(rows)}};
}

Status run(char** words, int count) {
    PARETO_TRY(const auto made, make(words, count));
    Progress progress;
    models::DeviceOptions options;
    options.threads = 1;
    PARETO_TRY(const auto runnable, models::prepareModel(made, options, progress, {}));
    for (std::string line; std::getline(std::cin, line);) {
        PARETO_TRY(const auto request, parseJson(line, "stdin"));
        PARETO_TRY(const auto out, answer(runnable, request));
        std::cout << out.dump() << '\n';
    }
    return Done{};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fprintf(stderr, "usage: new_head_tool MODEL OUT SEED LABEL…\n");
        return 2;
    }
    if (const auto done = run(argv, argc); !done.ok()) {
        std::fprintf(stderr, "%s\n", errorMessage(done.error()).c_str());
        return 4;
    }
    return 0;
}
