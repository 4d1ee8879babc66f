import type { Variant } from '../runtime/variants.js';
import type { WgslConstants } from '../runtime/wgsl.js';
import type { MatmulExtents } from './matmul-plan.js';
import registersWgsl from './matmul-registers.wgsl';
import tiledWgsl from './matmul-tiled.wgsl';

/** One implementation of the product, with the block of the output that a workgroup owns. */
export interface MatmulVariant extends Variant {
  readonly wgsl: string;
  readonly rowTile: number;
  readonly columnTile: number;
  /** Steps of k that are taken together; a split of K is a multiple of it. */
  readonly kTile: number;
  constants(extents: MatmulExtents): WgslConstants;
  grid(extents: MatmulExtents, splits: number): readonly [number, number, number];
}

export const matmulVariants: readonly MatmulVariant[] = [registers(8), tiled(8, 32), tiled(16, 16)];

function registers(lanes: number): MatmulVariant {
  const tiles = { rowTile: 16, columnTile: 8 * lanes, kTile: 4 };
  return {
    name: 'registers',
    needs: [],
    prefers: 'software',
    wgsl: registersWgsl,
    ...tiles,
    constants: () => ({ LANES: lanes }),
    grid: blockGrid(tiles),
  };
}

function tiled(width: number, kTile: number): MatmulVariant {
  const tiles = { rowTile: 4 * width, columnTile: 4 * width, kTile };
  return {
    name: `tiled-${4 * width}`,
    needs: [],
    prefers: 'gpu',
    wgsl: tiledWgsl,
    ...tiles,
    constants: ({ m, n, k }) => ({
      WIDTH: width,
      TILE_K: kTile,
      M_EXACT: m % tiles.rowTile === 0,
      N_EXACT: n % tiles.columnTile === 0,
      K_EXACT: k % kTile === 0,
    }),
    grid: blockGrid(tiles),
  };
}

function blockGrid({ rowTile, columnTile }: { rowTile: number; columnTile: number }): MatmulVariant['grid'] {
  return ({ groups, m, n }, splits) => [Math.ceil(n / columnTile), Math.ceil(m / rowTile), groups * splits];
}

// Workgroups that keep the device busy: a few for each core, or for each of some hundred GPU processors.
const ENOUGH_WORKGROUPS = { software: 8, gpu: 256 };
// A part shorter than this costs more to write and read back than it saves.
const SHORTEST_PART = 256;

/** Into how many parts K is split, and how long a part is. Depends on the extents and the kind of device only. */
export function splitsOf(
  variant: Pick<MatmulVariant, 'grid' | 'kTile'>,
  extents: MatmulExtents,
  isSoftware: boolean,
): { readonly splits: number; readonly kPerSplit: number } {
  const { k } = extents;
  const [x, y, z] = variant.grid(extents, 1);
  const wanted = Math.ceil((isSoftware ? ENOUGH_WORKGROUPS.software : ENOUGH_WORKGROUPS.gpu) / (x * y * z));
  const parts = Math.min(wanted, Math.floor(k / SHORTEST_PART), 32);
  if (parts < 2) return { splits: 1, kPerSplit: k };
  const kPerSplit = Math.ceil(k / parts / variant.kTile) * variant.kTile;
  return { splits: Math.ceil(k / kPerSplit), kPerSplit };
}
