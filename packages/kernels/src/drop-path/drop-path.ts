import mulHighWgsl from '../philox/mul-high.wgsl';
import { withPhiloxKey, type PhiloxKeySource } from '../philox/philox-key.js';
import { philox4x32, philoxKey, streamPurpose } from '../philox/philox.js';
import philoxWgsl from '../philox/philox.wgsl';
import { ShapeError } from '../runtime/errors.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Cost } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Variant } from '../runtime/variants.js';
import dropPathWgsl from './drop-path.wgsl';

export const dropPathVariants: readonly Variant[] = [{ name: 'elementwise', needs: [], prefers: 'any' }];

/** Stochastic depth; `sample` is the index of the clip in its data set. */
export const DROP_PATH_PURPOSE = streamPurpose(6);

const INVOCATIONS_PER_WORKGROUP = 64;
// Draws set apart for each branch of a sample, and so the most units that a sample can be dropped in.
const UNITS_LIMIT = 2 ** 16;

/** A residual branch with stochastic depth. */
export interface DropPathBranch {
  /** Its number in the model, below 65,536; branches with different numbers draw independently. */
  readonly branch: number;
  /** Probability of dropping it, in [0, 1). */
  readonly rate: number;
}

/** The factors to draw, the key of the draws and where the factors go. */
export type DropPathOptions = PhiloxKeySource & {
  /** f32 [R, B · U]: a row for each branch; within it, sample b's U units are neighbours. */
  readonly out: GpuArray;
  /** u32 [R, 3], made by `createDropPathBranches`. */
  readonly branches: GpuArray;
  /** u32 [B]: the index of each sample in its dataset. */
  readonly samples: GpuArray;
};

export function dropPathCost(branches: number, batch: number, unitsPerSample: number): Cost {
  return {
    macs: 0,
    flops: 0,
    bytesRead: 16 + 12 * branches + 4 * batch,
    bytesWritten: 4 * branches * batch * unitsPerSample,
  };
}

/**
 * The u32 [R, 3] array that `dropPathScales` reads.
 *
 * @throws RangeError for rates and numbers out of range
 */
export function createDropPathBranches(runtime: Runtime, branches: readonly DropPathBranch[]): GpuArray {
  return runtime.upload(
    Uint32Array.from(branches.flatMap(branchWords)),
    [branches.length, 3],
    'u32',
    'drop-path',
  );
}

/**
 * Factors of residual branches under stochastic depth: 0 with probability `rate`, else 1/(1 − rate), drawn for each
 * branch, sample and unit of a sample (a clip of LGI-Former has one unit, or one for each region), all in one dispatch.
 * A factor depends on seed, epoch, sample, branch and unit alone. The same bits as `dropPathScalesHost`. Source: Huang
 * et al., “Deep Networks with Stochastic Depth”, ECCV 2016.
 *
 * @throws ShapeError for arrays that do not fit together
 */
export function dropPathScales(runtime: Runtime, options: DropPathOptions): void {
  const { out, branches, samples } = options;
  for (const [name, array, dtype, rank] of [
    ['out', out, 'f32', 2],
    ['branches', branches, 'u32', 2],
    ['samples', samples, 'u32', 1],
  ] as const) {
    if (array.dtype !== dtype || array.shape.length !== rank || !array.isContiguous) {
      throw new ShapeError(
        `drop-path: ${name} is ${array}: give a contiguous ${dtype} array of ${rank} dimensions`,
      );
    }
  }
  const rows = branches.shape[0]!;
  const batch = samples.size;
  const units = out.shape[1]! / batch;
  if (out.shape[0] !== rows || branches.shape[1] !== 3 || !Number.isInteger(units) || units > UNITS_LIMIT) {
    throw new ShapeError(
      `drop-path: out ${out}, branches ${branches} and samples ${samples} do not fit: give [R, B · U] with U at most` +
        ` ${UNITS_LIMIT}, [R, 3] and [B]`,
    );
  }
  const grid = runtime.linearGrid(Math.ceil(out.size / INVOCATIONS_PER_WORKGROUP));
  withPhiloxKey(runtime, 'drop-path', options, (key) =>
    runtime.run({
      kernel: 'drop-path',
      wgsl: [mulHighWgsl, philoxWgsl, dropPathWgsl],
      data: {
        PURPOSE: DROP_PATH_PURPOSE,
        BRANCHES: rows,
        BATCH: batch,
        UNITS: units,
        UNITS_LIMIT,
        BRANCHES_OFFSET: branches.offset,
        SAMPLES_OFFSET: samples.offset,
        OUT_OFFSET: out.offset,
        GRID_X: grid[0],
      },
      arrays: { key, branches, samples, out },
      workgroups: grid,
      cost: dropPathCost(rows, batch, units),
    }),
  );
}

/**
 * The factors of `dropPathScales` on the host: f32 [R, B · U], row-major.
 *
 * @throws RangeError for rates out of range
 */
export function dropPathScalesHost({
  branches,
  samples,
  unitsPerSample = 1,
  seed,
  epoch,
}: {
  readonly branches: readonly DropPathBranch[];
  readonly samples: ArrayLike<number>;
  readonly unitsPerSample?: number;
  readonly seed: number;
  readonly epoch: number;
}): Float32Array {
  const out = new Float32Array(branches.length * samples.length * unitsPerSample);
  const scale = new Float32Array(1);
  let i = 0;
  for (const description of branches) {
    const [branch, threshold, scaleBits] = branchWords(description);
    new Uint32Array(scale.buffer)[0] = scaleBits;
    for (let b = 0; b < samples.length; b++) {
      for (let unit = 0; unit < unitsPerSample; unit++) {
        const draw = branch * UNITS_LIMIT + unit;
        const block = philox4x32(
          [Math.floor(draw / 4), samples[b]!, epoch, DROP_PATH_PURPOSE],
          philoxKey(seed),
        );
        out[i++] = block[draw % 4]! >>> 8 < threshold ? 0 : scale[0]!;
      }
    }
  }
  return out;
}

/** (branch number, threshold on 24-bit draws, bits of the factor): exact wherever the comparison is made. */
function branchWords({ branch, rate }: DropPathBranch): [number, number, number] {
  if (!Number.isInteger(branch) || branch < 0 || branch >= 2 ** 16) {
    throw new RangeError(`drop-path: a branch number is ${branch}: give an integer from 0 to 65,535`);
  }
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(
      `drop-path: the rate of branch ${branch} is ${rate}: give a number of at least 0 and below 1`,
    );
  }
  const scale = Float32Array.of(1 / (1 - rate));
  return [branch, Math.ceil(rate * 2 ** 24), new Uint32Array(scale.buffer)[0]!];
}
