import type { RowScaling } from '@tubelet/autograd';
import { createDropPathBranches, dropPathScales, type GpuArray, type Runtime } from '@tubelet/kernels';
import { ConfigError, regionCount, tokenCount, type EncoderConfig } from './config.js';
import type { DropPathDraws } from './encoder.js';
import { randomKey, type MaskKey, type MaskKeyOnDevice } from './mask.js';

/** A residual branch of a block: which one, and how many rows share one draw. */
interface Branch {
  readonly name: keyof DropPathDraws[number];
  /** Whether each region of a clip is kept or dropped by itself, or the clip as a whole. */
  readonly unit: 'region' | 'clip';
  readonly rowsPerUnit: number;
}

/** Branches of a block get numbers of their own from here on, so that an ablation does not shift the others' draws. */
const BRANCHES_PER_BLOCK = 4;

/**
 * Stochastic depth (Huang et al., 2016) for an encoder: the rate rises linearly from 0 in the first block to `rate`
 * in the last, the same for all branches of a block. In LGI-Former the local attention and the feed-forward network
 * draw for each region by itself, as the published model does, inter-region and local–global attention for each clip.
 */
export class DropPath {
  private readonly branches: readonly (Branch & { readonly block: number; readonly row: number })[];
  private readonly rows: Readonly<Record<Branch['unit'], GpuArray | undefined>>;
  private readonly units: Readonly<Record<Branch['unit'], number>>;

  /** @throws ConfigError unless `rate` is at least 0 and below 1 */
  constructor(
    private readonly runtime: Runtime,
    private readonly config: EncoderConfig,
    readonly rate: number,
  ) {
    if (!(rate >= 0 && rate < 1)) {
      throw new ConfigError(`the drop-path rate is ${rate}; it must be at least 0 and below 1`);
    }
    this.units = { region: regionCount(config), clip: 1 };
    const count = { region: 0, clip: 0 };
    const numbered: Record<Branch['unit'], { branch: number; rate: number }[]> = { region: [], clip: [] };
    const ofBlock = branchesOf(config);
    // On a GPU the first block is scaled by 1: it then needs no programs of its own.
    const isSkipped = (blockRate: number) => blockRate === 0 && (rate === 0 || runtime.adapter.isSoftware);
    this.branches = dropPathRates(config.depth, rate).flatMap((blockRate, block) =>
      ofBlock.flatMap((branch, index) => {
        if (isSkipped(blockRate) || branch === undefined) return [];
        numbered[branch.unit].push({ branch: BRANCHES_PER_BLOCK * block + index, rate: blockRate });
        return [{ ...branch, block, row: count[branch.unit]++ }];
      }),
    );
    const upload = (unit: Branch['unit']) =>
      count[unit] === 0 ? undefined : runtime.keep(createDropPathBranches(runtime, numbered[unit]));
    this.rows = { region: upload('region'), clip: upload('clip') };
  }

  /**
   * The draws of a batch, until the end of the step: they depend on seed, epoch and sample alone. Undefined where
   * nothing is ever dropped.
   */
  draw(key: MaskKey | MaskKeyOnDevice): DropPathDraws | undefined {
    if (this.branches.length === 0) return undefined;
    const { runtime } = this;
    const { samples, ...source } = randomKey(runtime, key);
    const scales = (unit: Branch['unit']): GpuArray | undefined => {
      const branches = this.rows[unit];
      if (!branches) return undefined;
      const out = runtime.empty([branches.shape[0]!, samples.size * this.units[unit]], 'f32', 'drop path');
      dropPathScales(runtime, { ...source, branches, samples, out });
      return out;
    };
    const drawn = { region: scales('region'), clip: scales('clip') };
    const draws: Record<string, RowScaling>[] = Array.from({ length: this.config.depth }, () => ({}));
    for (const { name, unit, rowsPerUnit, block, row } of this.branches) {
      const all = drawn[unit]!;
      const scale = all.slice(0, row, row + 1).reshape([all.shape[1]!]);
      draws[block]![name] = { scale, rowsPerScale: rowsPerUnit };
    }
    return draws;
  }

  /** Returns its memory to the pool. */
  release(): void {
    for (const array of Object.values(this.rows)) if (array) this.runtime.release(array);
  }
}

/** The rate of each block: 0 in the first, `rate` in the last, evenly between. */
export function dropPathRates(depth: number, rate: number): number[] {
  return Array.from({ length: depth }, (_, block) => (depth === 1 ? 0 : (rate * block) / (depth - 1)));
}

/** The branches of a block in the order of their draws; undefined for one that an ablation leaves out. */
function branchesOf(config: EncoderConfig): (Branch | undefined)[] {
  const tokens = tokenCount(config);
  if (config.kind === 'vit') {
    return [
      { name: 'attention', unit: 'clip', rowsPerUnit: tokens },
      { name: 'feedForward', unit: 'clip', rowsPerUnit: tokens },
    ];
  }
  const regions = regionCount(config);
  const regionRows = 1 + tokens / regions;
  return [
    { name: 'local', unit: 'region', rowsPerUnit: regionRows },
    config.interRegion ? { name: 'interRegion', unit: 'clip', rowsPerUnit: regions } : undefined,
    config.localGlobal ? { name: 'localGlobal', unit: 'clip', rowsPerUnit: tokens } : undefined,
    { name: 'feedForward', unit: 'region', rowsPerUnit: regionRows },
  ];
}
