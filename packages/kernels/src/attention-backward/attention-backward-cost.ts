import type { Cost } from '../runtime/ledger.js';
import { statisticsBytes, viewBytes, type AttentionExtents } from '../attention/attention-layout.js';

/**
 * Cost of the three kernels by the mathematics with probabilities made again: Q·Kᵀ, dP and dQ in the query
 * kernel, dV and dK in the key kernel, 5·G·Lq·Lk·C in all. That the key kernel makes Q·Kᵀ and dP a second time,
 * and the traffic of partial sums, are the method's and not counted.
 */
export function attentionBackwardCosts(extents: AttentionExtents): { query: Cost; key: Cost; reduce: Cost } {
  const { groups, queries, keys, channels } = extents;
  const product = groups * queries * keys * channels;
  const statistics = statisticsBytes(extents);
  const reads = viewBytes(extents, keys, 2) + statistics;
  return {
    query: {
      macs: 3 * product,
      flops: 0,
      bytesRead: viewBytes(extents, queries, 3) + reads,
      bytesWritten: viewBytes(extents, queries) + statistics,
    },
    key: {
      macs: 2 * product,
      flops: 0,
      bytesRead: viewBytes(extents, queries, 2) + reads + statistics,
      bytesWritten: viewBytes(extents, keys, 2),
    },
    reduce: { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 },
  };
}

/** Their sum, and the cost of the one kernel that stands in for them: by the mathematics. */
export function attentionBackwardCost(extents: AttentionExtents): Cost {
  const { query, key } = attentionBackwardCosts(extents);
  return {
    macs: query.macs + key.macs,
    flops: query.flops + key.flops,
    bytesRead: query.bytesRead + key.bytesRead,
    bytesWritten: query.bytesWritten + key.bytesWritten,
  };
}
