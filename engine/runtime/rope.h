#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/runtime/block_cache.h"
#include "engine/spec/layers.h"

namespace pareto::runtime {

/// Rotary embeddings of one kind of block. Frequencies, scalings and angles as transformers computes
/// them (modeling_rope_utils.py), angles in fp32. Where a scaling depends on the length (Dynamic,
/// LongRope), that is what a sequence holds after the step; earlier keys stay as they were rotated.
class RopeTable {
public:
    RopeTable(std::int64_t headDim, const RopeSettings& settings);
    ~RopeTable();
    RopeTable(RopeTable&&) noexcept;
    RopeTable& operator=(RopeTable&&) = delete;

    /// Cosines and sines for the rows of a step, which the following calls of rotate() use. Of a fixed step they come
    /// from tables on the device, by the positions that lie there.
    void prepare(const Device& device, const StepRows& step);
    /// Whether what a token at a position below `reach` gets depends on that position alone, in steps of one token.
    bool followsPositions(std::int64_t reach) const;
    /// What the last fixed step reads on the device. A recorded one needs it for as long as it is replayed.
    std::shared_ptr<const void> tablesOnDevice() const;
    /// Rotates each of the `heads` heads of every row of x in place.
    void rotate(const Device& device, at::Tensor& x, std::int64_t heads) const;

private:
    /// Cosines and sines from position 0 on for one set of frequencies, grown on demand.
    struct Table {
        std::vector<float> inverse;  ///< frequency of each pair
        std::vector<float> cosines, sines;
    };
    struct OnDevice;
    struct DeviceTables;
    void rotateOwn(const Device& device, at::Tensor& x, std::int64_t heads) const;
    void growTables(const Device& device, std::int64_t positions);
    void grow(Table& table, std::int64_t positions) const;
    void angle(float inverse, std::int64_t position, float& cosine, float& sine) const;
    void rowsFrom(Table& table, std::int64_t past, std::int64_t row, std::int64_t tokens);

    RopeSettings m_settings;
    std::int64_t m_half;
    float m_attention = 1.0F;  ///< factor of cosines and sines
    Table m_table;
    Table m_long;  ///< beyond the original context: LongRope's long factors
    std::vector<float> m_cosines, m_sines;  ///< of the step: [rows][half]
    std::unique_ptr<OnDevice> m_onDevice;
    std::shared_ptr<const DeviceTables> m_deviceTables;
};

}  // namespace pareto::runtime
