import type { MatrixDevice } from '../matrix-units/matrix-device.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import { PADDING, type MatrixTiling } from './matmul-matrix-tiling.js';

/** How a workgroup copies its blocks by eights: see matmul-matrix-octets.wgsl. */
export interface OctetCopies {
  readonly constants: WgslConstants;
  readonly workgroupBytes: number;
}

/** What copies depend on besides tiling and device. */
export interface OctetOperands {
  /** What the next block may take of an invocation's registers on its way, while one is multiplied. */
  readonly mostRegisters: number;
  /** Of an element of A and B, as they are stored. */
  readonly aBytes: number;
  readonly bBytes: number;
}

// 16 bytes: eight elements of f16, four sums.
const OCTET = 8;
const PIECE_BYTES = 16;

/**
 * The copies of a tiling; undefined where its units are no multiples of eight, invocations do not share the rows of A out
 * evenly, or there is too little memory. A block that is on its way while another is multiplied has memory of its own where the device has
 * as much.
 */
export function octetCopies(
  tiling: MatrixTiling,
  { maxWorkgroupBytes }: MatrixDevice,
  { mostRegisters, aBytes, bBytes }: OctetOperands,
): OctetCopies | undefined {
  const { unit, down, rows, columns, kGroups, kTile, subgroupRows, invocations } = tiling;
  const areWhole = [unit.m, unit.n, unit.k].every((extent) => extent % OCTET === 0);
  // Of A, along k and across it.
  const areShared = [kTile, rows].every((extent) => invocations % (extent / OCTET) === 0);
  if (!areWhole || !areShared) return undefined;
  const blockBytes = largestBytes(rows, kTile) + largestBytes(columns, kTile);
  const unitRowBytes = 4 * kGroups * subgroupRows * unit.m * columns;
  const leastBytes = Math.max(blockBytes, unitRowBytes, 2 * PIECE_BYTES * invocations);
  if (leastBytes > maxWorkgroupBytes) return undefined;
  const copies = (extent: number) => Math.ceil((extent * kTile) / OCTET / invocations);
  const registers = (OCTET / 4) * (copies(rows) * aBytes + copies(columns) * bBytes);
  const prefetch = registers <= mostRegisters;
  const buffers = prefetch && 2 * blockBytes <= maxWorkgroupBytes ? 2 : 1;
  const workgroupBytes = Math.max(leastBytes, buffers * blockBytes);
  return {
    workgroupBytes,
    constants: {
      A_COPIES: copies(rows),
      B_COPIES: copies(columns),
      PREFETCH: prefetch,
      BUFFERS: buffers,
      // As many as fit where the blocks were.
      STAGED: [4, 2, 1].find((staged) => down % staged === 0 && staged * unitRowBytes <= workgroupBytes)!,
    },
  };
}

/** Of a block that lies along k or across it. */
function largestBytes(extent: number, kTile: number): number {
  return 2 * Math.max(extent * (kTile + PADDING), kTile * (extent + PADDING));
}
