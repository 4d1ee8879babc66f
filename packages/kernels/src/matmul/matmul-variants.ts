import { matrixDevice, type MatrixDevice } from '../matrix-units/matrix-device.js';
import type { Variant } from '../runtime/variants.js';
import { knownSubgroupSize } from '../runtime/adapter.js';
import type { Joins } from '../runtime/program.js';
import type { Runtime } from '../runtime/runtime.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import sharedRowsWgsl from '../subgroups/shared-rows.wgsl';
import type { MatmulBytes, MatmulExtents } from './matmul-plan.js';
import blocksWgsl from './matmul-blocks.wgsl';
import operationsWgsl from './matmul-matrix-units-operations.wgsl';
import { octetCopies } from './matmul-matrix-octets.js';
import octetsWgsl from './matmul-matrix-octets.wgsl';
import quadsWgsl from './matmul-matrix-quads.wgsl';
import matrixUnitsWgsl from './matmul-matrix-units.wgsl';
import { matrixTiling, tilingConstants, type MatrixTiling } from './matmul-matrix-tiling.js';
import { keepsGpuBusy } from './matmul-occupancy.js';
import outerWgsl from './matmul-outer.wgsl';
import subgroupBroadcastWgsl from './matmul-subgroup-broadcast.wgsl';
import tiledWgsl from './matmul-tiled.wgsl';

/** What the size of a block may depend on besides the device. */
export interface MatmulForm {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Elements a load moves. */
  readonly width: 1 | 4;
  /** See `MatmulPlan`. */
  readonly copiesOctets: boolean;
  readonly bytes: MatmulBytes;
}

/** The block of the output that one workgroup owns. */
export interface MatmulBlock {
  readonly rows: number;
  readonly columns: number;
  /** Steps of k that are taken together; a part of a split K is a multiple of it. */
  readonly kStep: number;
  /** Of the workgroup. */
  readonly invocations: number;
  readonly constants: WgslConstants;
  /** Whether the kernel may share a dispatch with others. */
  readonly joins?: Joins;
  /** Files of WGSL in front of those of the variant. */
  readonly copies?: readonly string[];
  /** Elements that a load of A or B moves, where they are more than those of other arrays. */
  readonly loadWidth?: 8;
}

/** One implementation of the product. */
export interface MatmulVariant extends Variant {
  readonly wgsl: readonly string[];
  block(extents: MatmulExtents, form: MatmulForm, runtime: Runtime): MatmulBlock;
}

// Rows of a block: few where there are no more, so that a model's size and batch size choose between two programs.
const BROADCAST_ROWS = 32;
const FEW_BROADCAST_ROWS = 8;
const BROADCAST_STEP = 4;

const subgroupBroadcast: MatmulVariant = {
  name: 'subgroup-broadcast',
  needs: ['subgroups'],
  prefers: 'software',
  canRun: ({ adapter }) => knownSubgroupSize(adapter) !== undefined,
  wgsl: [sharedRowsWgsl, subgroupBroadcastWgsl],
  block: ({ m }, { transposeA }, { adapter }) => {
    const lanes = knownSubgroupSize(adapter)!;
    const few = Math.max(lanes, FEW_BROADCAST_ROWS);
    const rows = transposeA || m > few ? Math.max(lanes, BROADCAST_ROWS) : few;
    const constants = { LANES: lanes, ROWS: rows };
    return { rows, columns: 4 * lanes, kStep: BROADCAST_STEP, invocations: lanes, constants };
  },
};

// For small outputs the program for all there is is enough.
const GENERAL = { K_EDGES: true };

// What `tiled` and `outer` have in workgroup memory.
const F32_BLOCKS = { variables: 'a_block and b_block of vec4f' };

const SMALL_TILE = 32;
const SMALL_INVOCATIONS = 64;
// Groups of invocations that share the steps of k; one where the device has too little memory for a workgroup.
const K_GROUPS = 4;

const tiled: MatmulVariant = {
  name: 'tiled',
  needs: [],
  prefers: ['gpu', 'software'],
  wgsl: [blocksWgsl, tiledWgsl],
  block: (_extents, _form, { device: { limits } }) => {
    const bytesOf = (groups: number) => 8 * SMALL_TILE ** 2 * groups;
    const invocationsOf = (groups: number) => SMALL_INVOCATIONS * groups;
    const fits =
      bytesOf(K_GROUPS) <= limits.maxComputeWorkgroupStorageSize &&
      invocationsOf(K_GROUPS) <= limits.maxComputeInvocationsPerWorkgroup;
    const groups = fits ? K_GROUPS : 1;
    const kStep = SMALL_TILE * groups;
    return {
      rows: SMALL_TILE,
      columns: SMALL_TILE,
      kStep,
      invocations: invocationsOf(groups),
      constants: { K_GROUPS: groups, ...GENERAL },
      joins: { workgroup: [invocationsOf(groups), 1], workgroupBytes: bytesOf(groups), ...F32_BLOCKS },
    };
  },
};

const OUTER_K_TILE = 16;

const outer: MatmulVariant = {
  name: 'outer',
  needs: [],
  prefers: 'gpu',
  wgsl: [blocksWgsl, outerWgsl],
  block: (extents, _, { adapter: { isSoftware } }) => {
    const width = keepsGpuBusy(extents, 128, 128) ? 16 : 8;
    const tile = 8 * width;
    return {
      rows: tile,
      columns: tile,
      kStep: OUTER_K_TILE,
      invocations: width * width,
      constants: {
        WIDTH: width,
        HEIGHT: width,
        KEEP_LOOPS: isSoftware,
        ...kEdges(extents, OUTER_K_TILE),
      },
      joins: { workgroup: [width, width], workgroupBytes: 8 * OUTER_K_TILE * tile, ...F32_BLOCKS },
    };
  },
};

// What is on its way has room beside 64 sums and the operands of a part where two workgroups of 256 share a processor's
// 65536 registers: 32 had not, on an H100. Software drivers have no such limit.
const REGISTERS_AHEAD = 24;

/** `prefetch`: of copies by eights. */
const matrixUnits = (name: string, { octets = true, prefetch = true } = {}): MatmulVariant => ({
  name,
  needs: ['chromium-experimental-subgroup-matrix', 'shader-f16', 'subgroups'],
  prefers: 'gpu',
  precision: 'f16',
  // A single element needs the smallest workgroup, and any larger output fits where that does.
  canRun: (runtime) => matrixTiling({ groups: 1, m: 1, n: 1, k: 1 }, matrixDevice(runtime)) !== undefined,
  wgsl: [matrixUnitsWgsl],
  block: (extents, { transposeA, copiesOctets, bytes: { a: aBytes = 4, b: bBytes = 4 } }, runtime) => {
    const device = matrixDevice(runtime);
    const tiling = tilingOf(extents, transposeA, device);
    const { rows, columns, kTile, invocations } = tiling;
    const mostAhead = runtime.adapter.isSoftware ? Infinity : REGISTERS_AHEAD;
    const mostRegisters = prefetch ? mostAhead : 0;
    const byEights =
      octets && copiesOctets ? octetCopies(tiling, device, { mostRegisters, aBytes, bBytes }) : undefined;
    const { workgroupBytes } = byEights ?? tiling;
    return {
      rows,
      columns,
      kStep: kTile,
      invocations,
      constants: {
        ...tilingConstants(tiling),
        ...byEights?.constants,
        ...(isSmall(tiling) ? GENERAL : kEdges(extents, kTile)),
      },
      ...(byEights && { loadWidth: 8 }),
      copies: [operationsWgsl, ...(byEights ? [octetsWgsl] : [blocksWgsl, quadsWgsl])],
      joins: {
        workgroup: [invocations, 1],
        workgroupBytes,
        variables: byEights ? 'blocks of vec4u' : 'a_block and b_block of vec4h, stage of vec4f',
      },
    };
  },
});

// The first is the choice; the others are there to be measured beside it.
const onMatrixUnits = [
  matrixUnits('matrix-units'),
  matrixUnits('matrix-units-no-prefetch', { prefetch: false }),
  matrixUnits('matrix-units-quads', { octets: false }),
];

// A weight gradient shares a dispatch with the gradient of the layer's input where their workgroups are of one size: it
// takes the blocks of that.
function tilingOf(
  { groups, m, n, k }: MatmulExtents,
  transposeA: boolean,
  device: MatrixDevice,
): MatrixTiling {
  return matrixTiling(transposeA ? { groups, m: k, n, k: m } : { groups, m, n, k }, device)!;
}

const isSmall = ({ subgroupRows, subgroupColumns }: MatrixTiling) => subgroupRows * subgroupColumns === 1;

// Where blocks of the output are not whole, what is loaded instead does not change with k and is no matter of its loops;
// steps of k that are not whole are a comparison for each load.
function kEdges({ k }: MatmulExtents, kTile: number): WgslConstants {
  return { K_EDGES: k % kTile !== 0 };
}

export const matmulVariants: readonly MatmulVariant[] = [subgroupBroadcast, outer, tiled, ...onMatrixUnits];
/**
 * Without the variant for large outputs: where those are few blocks, on an H100 `tiled` took a fifth to two fifths less
 * time (704 × 512 and 64 × 512, K = 512).
 */
export const smallOutputVariants: readonly MatmulVariant[] = matmulVariants.filter(
  (variant) => variant !== outer,
);

/** Workgroups along columns, rows and groups. */
export function blockGrid(
  { groups, m, n }: MatmulExtents,
  block: MatmulBlock,
): readonly [number, number, number] {
  return [Math.ceil(n / block.columns), Math.ceil(m / block.rows), groups];
}

// What keeps a device busy: a few workgroups for each core; two workgroups of 256 for each processor of a large GPU.
const ENOUGH = { softwareWorkgroups: 8, gpuInvocations: 1 << 16 };
// A part of fewer steps costs more to write and read back than it saves.
const SHORTEST_PART = { k: 512, steps: 16 };
const MOST_PARTS = 32;

/**
 * Into how many parts K is split, and how long a part is: for a product that has the device to itself, or shares it with
 * one of as many operations, as a weight gradient does with the gradient of the layer's input. Depends on the extents and
 * the kind of device only.
 */
export function splitsOf(
  extents: MatmulExtents,
  block: MatmulBlock,
  isSoftware: boolean,
  sharesDevice = false,
): { readonly splits: number; readonly kPerSplit: number } {
  const { k } = extents;
  const [x, y, z] = blockGrid(extents, block);
  const enough = isSoftware ? ENOUGH.softwareWorkgroups : ENOUGH.gpuInvocations / block.invocations;
  // A GPU that is nearly busy gains less than the partial sums cost. Half of one that is shared must be busy, or else the
  // long sums of a weight gradient end last.
  const wanted = sharesDevice
    ? Math.ceil(enough / 2 / (x * y * z))
    : (isSoftware ? Math.ceil : Math.floor)(enough / (x * y * z));
  const shortest = Math.max(SHORTEST_PART.k, SHORTEST_PART.steps * block.kStep);
  const parts = Math.min(wanted, Math.floor(k / shortest), MOST_PARTS);
  if (parts < 2) return { splits: 1, kPerSplit: k };
  const kPerSplit = Math.ceil(k / parts / block.kStep) * block.kStep;
  return { splits: Math.ceil(k / kPerSplit), kPerSplit };
}
