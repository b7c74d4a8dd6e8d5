#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/models/model.h"
#include "engine/models/network.h"
#include "engine/spec/recover.h"

namespace pareto::train {

/// Which teacher block each student block learns from where nobody chose: spread evenly, the last from the last.
std::vector<std::pair<int, int>> evenPairs(std::int64_t student, std::int64_t teacher);

/// What a teacher says to a batch, and the terms of the loss that come from it.
class Distillation {
public:
    /// RecipeInvalid where vocabulary, outputs, blocks or heads of the two do not fit.
    static Result<std::unique_ptr<Distillation>> create(const DistilSpec& spec, const LoadedModel& teacher,
                                                        const ModelLayout& student,
                                                        const models::PrepareInputs& inputs, std::uint64_t seed);
    ~Distillation();

    /// Runs the teacher on what the student is about to see. `examples` are numbers by which outputs of whole texts are
    /// kept, so that a later epoch need not ask again where nothing else is looked at.
    Status see(const models::TokenBatch& batch, const std::vector<std::size_t>& examples, std::stop_token stop);
    /// Whether terms look inside the student.
    bool looksInside() const;
    /// Of outputs: whole texts, or the tokens that `rows` numbers (undefined: all). Undefined: no such term.
    at::Tensor outputsTerm(const at::Tensor& student, const at::Tensor& rows) const;
    /// Of hidden states, attention maps and relations, by the names of TrainingPoint::parts.
    std::map<std::string, at::Tensor> insideTerms(const models::Inside& student,
                                                  const std::vector<std::int64_t>& starts) const;
    double weightOf(const std::string& term) const;
    /// Learned with the student and forgotten with the teacher: projections between widths, by name.
    const std::map<std::string, at::Tensor>& parameters() const;

private:
    struct State;
    explicit Distillation(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace pareto::train
