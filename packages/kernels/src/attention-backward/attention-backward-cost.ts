import type { Cost } from '../runtime/ledger.js';
import { statisticsBytes, viewBytes, type AttentionExtents } from '../attention/attention-layout.js';

/** Parts in which dk and dv are left; 1: they are written as they are. */
interface InParts {
  readonly parts: number;
}

/**
 * Costs of the kernels by the mathematics with probabilities made again: Q·Kᵀ, dP and dQ in the query kernel, dV and dK
 * in the key kernel, 5·G·Lq·Lk·C in all. That the key kernel makes Q·Kᵀ and dP a second time is the method's and not
 * counted; the arrays that it reads a second time are, and so are the parts of sums.
 */
export function queryGradientCost(extents: AttentionExtents): Cost {
  const { queries, keys } = extents;
  const statistics = statisticsBytes(extents);
  return {
    macs: 3 * productMacs(extents),
    flops: 0,
    bytesRead: viewBytes(extents, queries, 3) + viewBytes(extents, keys, 2) + statistics,
    bytesWritten: viewBytes(extents, queries) + statistics,
  };
}

export function keyGradientCost(extents: AttentionExtents, sums: InParts): Cost {
  const { queries, keys } = extents;
  return {
    macs: 2 * productMacs(extents),
    flops: 0,
    bytesRead: viewBytes(extents, queries, 2) + viewBytes(extents, keys, 2) + 2 * statisticsBytes(extents),
    bytesWritten: keyGradientBytes(extents, sums),
  };
}

/** One kernel for all gradients, which need not read the result of the forward pass. */
export function windowGradientCost(
  extents: AttentionExtents,
  { readsOut, ...sums }: InParts & { readonly readsOut: boolean },
): Cost {
  const { queries, keys } = extents;
  return {
    macs: 5 * productMacs(extents),
    flops: 0,
    bytesRead:
      viewBytes(extents, queries, readsOut ? 3 : 2) + viewBytes(extents, keys, 2) + statisticsBytes(extents),
    bytesWritten: viewBytes(extents, queries) + keyGradientBytes(extents, sums),
  };
}

/** What adds up the parts of dk and dv. */
export function reduceCost(extents: AttentionExtents, sums: InParts): Cost {
  return {
    ...{ macs: 0, flops: 0 },
    bytesRead: keyGradientBytes(extents, sums),
    bytesWritten: keyGradientBytes(extents, { parts: 1 }),
  };
}

/** The least that all gradients cost: every array that is needed read or written once. */
export function attentionBackwardCost(extents: AttentionExtents): Cost {
  return windowGradientCost(extents, { parts: 1, readsOut: false });
}

function productMacs({ groups, queries, keys, channels }: AttentionExtents): number {
  return groups * queries * keys * channels;
}

// Parts are of f32, whatever dk and dv are.
function keyGradientBytes(extents: AttentionExtents, { parts }: InParts): number {
  const { keys } = extents;
  return parts > 1 ? viewBytes({ ...extents, dtype: 'f32' }, keys, 2 * parts) : viewBytes(extents, keys, 2);
}
