#include "engine/compress/gradients.h"

namespace pareto::compress {

namespace {

class RenamedGradients final : public WeightGradients {
public:
    RenamedGradients(std::unique_ptr<WeightGradients> inner, std::map<std::string, std::string> names)
        : m_inner(std::move(inner)), m_inside(std::move(names)) {
        for (const auto& [outside, inside] : m_inside) {
            m_outside[inside] = outside;
        }
    }

    Status differentiate(std::int64_t number, std::span<const std::string> layers, const Receive& receive,
                         std::stop_token stop) override {
        std::vector<std::string> inside;
        for (const auto& layer : layers) {
            inside.push_back(m_inside.at(layer));
        }
        return m_inner->differentiate(
            number, inside,
            [&](const std::string& layer, std::span<const float> gradient) { receive(m_outside.at(layer), gradient); },
            std::move(stop));
    }
    Status replace(const std::string& layer, const Tensor& weight) override {
        return m_inner->replace(m_inside.at(layer), weight);
    }
    std::int64_t samples() const override { return m_inner->samples(); }
    std::int64_t tokens() const override { return m_inner->tokens(); }

private:
    std::unique_ptr<WeightGradients> m_inner;
    std::map<std::string, std::string> m_inside;
    std::map<std::string, std::string> m_outside;
};

}  // namespace

std::unique_ptr<WeightGradients> renamed(std::unique_ptr<WeightGradients> inner,
                                         std::map<std::string, std::string> names) {
    return std::make_unique<RenamedGradients>(std::move(inner), std::move(names));
}

}  // namespace pareto::compress
