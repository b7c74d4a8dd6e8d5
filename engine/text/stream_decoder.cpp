#include "engine/text/tokenizer.h"

namespace pareto::text {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer)
    : m_tokenizer(std::move(tokenizer)), m_stream(m_tokenizer->stream()) {}

std::string StreamDecoder::add(std::int32_t id) { return m_stream->add(id); }

std::string StreamDecoder::finish() {
    std::string out = m_stream->finish();
    m_stream = m_tokenizer->stream();
    return out;
}

}  // namespace pareto::text
