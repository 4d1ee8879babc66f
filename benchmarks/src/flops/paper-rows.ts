import { lgiFormer, vitBase, type EncoderConfig, type LgiFormerSize } from '@tubelet/mae-dfer';
import { PAPER_TABLES } from '@tubelet/trainer';

/** One configuration for which the paper prints a size and a cost. */
export interface PaperRow {
  /** Where the paper prints it, e.g. `Table 3`. */
  readonly table: string;
  readonly name: string;
  readonly encoder: EncoderConfig;
  /** Millions of parameters, to one decimal. */
  readonly parametersM: number;
  /** GFLOPs of one clip, to one decimal. */
  readonly gigaflops: number;
}

const base = lgiFormer('base');

/** The rows of Table 3 by their modules. */
function modulesName(local: boolean, interRegion: boolean, localGlobal: boolean): string {
  if (!local) return 'ViT-B';
  if (interRegion && localGlobal) return 'all three attentions';
  if (interRegion) return '+ inter-region';
  return localGlobal ? '+ local–global, no inter-region' : 'local attention only';
}

/** Tables 3, 4 and 10 of Sun et al. (2023), the ViT-B baseline of Table 3 included. */
export const paperRows: readonly PaperRow[] = [
  ...PAPER_TABLES[3].map(({ local, interRegion, localGlobal, params, flops }) => ({
    table: 'Table 3',
    name: modulesName(local, interRegion, localGlobal),
    encoder: local ? { ...base, interRegion, localGlobal } : vitBase(),
    ...{ parametersM: params, gigaflops: flops },
  })),
  ...PAPER_TABLES[4].map(({ region, params, flops }) => ({
    table: 'Table 4',
    name: `region ${region.join('×')}`,
    encoder: { ...base, region: region as [number, number, number] },
    ...{ parametersM: params, gigaflops: flops },
  })),
  ...PAPER_TABLES[10].map(({ size, params, flops }) => ({
    table: 'Table 10',
    name: size,
    encoder: lgiFormer(size as LgiFormerSize),
    ...{ parametersM: params, gigaflops: flops },
  })),
];
