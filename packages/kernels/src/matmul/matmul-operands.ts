import type { RowPiece } from '../partial-sums/partial-sums.js';
import type { GpuArray } from '../runtime/gpu-array.js';

/** Where the sums of the rows of op(A) go: to one array, or to several that have a part each, given to `PartialSums`. */
export type RowSums =
  | {
      /** Contiguous [M]. */
      readonly out: GpuArray;
      /** Adds to what `out` holds. */
      readonly accumulate?: boolean;
    }
  | { readonly pieces: readonly RowPiece[] };

/**
 * Operands of `matmul`. `a`, `b`, `out`, `preActivation` and `geluInput` are f32 or f16, each by itself; the rest is
 * f32, and so is all arithmetic: what is stored in f16 is rounded once. With M, N, K the extents of the product, and
 * "row view" an array whose last axis is contiguous and whose other axes flatten into rows of two strides at most
 * (`GpuArray.rows()`, e.g. the local rows of a region-major token buffer [B, M, 1+N, C]):
 *
 *     value = alpha · op(aScale[floor(row / rowsPerAScale)] · A)·op(B) + bias
 *     preActivation = value
 *     value = GELU(value)                                  with `activation: 'gelu'`
 *     value = value ⊙ GELU′(geluInput)
 *     value = value · rowScale[floor(row / rowsPerScale)]
 *     out   = (accumulate ? out : 0) + residual + value
 */
export interface MatmulOperands {
  /** Row view [M, K]; with `transposeA` row view [K, M]. */
  readonly a: GpuArray;
  /** Row view [K, N]; with `transposeB` row view [N, K] (a linear layer's weight). */
  readonly b: GpuArray;
  /** Row view [M, N]; rows of the underlying buffer outside the view are left alone. */
  readonly out: GpuArray;
  /**
   * Contiguous [groups]: one factor for every `rowsPerAScale` consecutive rows of A as it is stored, which are multiplied
   * by it: the gradient of a branch of stochastic depth.
   */
  readonly aScale?: GpuArray;
  /** Rows of A that share a factor; A has at most groups · rowsPerAScale. */
  readonly rowsPerAScale?: number;
  /** A is stored [K, M]: weight gradients dW = dYᵀ·X. */
  readonly transposeA?: boolean;
  /** B is stored [N, K]: linear layers y = x·Wᵀ. Not together with `transposeA`. */
  readonly transposeB?: boolean;
  /** Factor of the product; default 1. */
  readonly alpha?: number;
  /** Adds to what `out` holds: gradient accumulation. */
  readonly accumulate?: boolean;
  /** Contiguous [N], added to every row. */
  readonly bias?: GpuArray;
  readonly activation?: 'gelu';
  /** Row view [M, N] that receives the value before the activation, which the backward pass needs. */
  readonly preActivation?: GpuArray;
  /** Row view [M, N]; the value is multiplied by GELU′ of it: backward through a GELU. */
  readonly geluInput?: GpuArray;
  /** Contiguous [groups]: one factor for every `rowsPerScale` consecutive rows (stochastic depth). */
  readonly rowScale?: GpuArray;
  /** Rows that share a factor; M ≤ groups · rowsPerScale. */
  readonly rowsPerScale?: number;
  /** Row view [M, N], added last; may be `out` itself. */
  readonly residual?: GpuArray;
  /**
   * With `transposeA`, without a batch axis or `preActivation`: Σ_k A[k, m], of A as `aScale` scales it, in the same pass over A and without
   * `alpha`. Beside a weight gradient dW = dYᵀ·X it is the bias gradient.
   */
  readonly rowSums?: RowSums;
}
