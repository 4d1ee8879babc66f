import { lgiFormer, vitBase, type EncoderConfig } from '@tubelet/mae-dfer';

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

/** Tables 3, 4 and 10 of Sun et al. (2023), the ViT-B baseline of Table 3 included. */
export const paperRows: readonly PaperRow[] = [
  {
    table: 'Table 3',
    name: 'local attention only',
    encoder: { ...base, interRegion: false, localGlobal: false },
    parametersM: 51.2,
    gigaflops: 42.7,
  },
  {
    table: 'Table 3',
    name: '+ inter-region',
    encoder: { ...base, localGlobal: false },
    parametersM: 68.0,
    gigaflops: 42.8,
  },
  {
    table: 'Table 3',
    name: '+ local–global, no inter-region',
    encoder: { ...base, interRegion: false },
    parametersM: 68.1,
    gigaflops: 49.6,
  },
  { table: 'Table 3', name: 'all three attentions', encoder: base, parametersM: 84.9, gigaflops: 49.8 },
  { table: 'Table 3', name: 'ViT-B', encoder: vitBase(), parametersM: 86.2, gigaflops: 80.8 },
  ...(
    [
      [[1, 5, 10], 49.8],
      [[2, 2, 10], 50.0],
      [[2, 5, 10], 49.8],
      [[2, 10, 10], 50.7],
      [[4, 5, 10], 50.7],
    ] as const
  ).map(([region, gigaflops]) => ({
    table: 'Table 4',
    name: `region ${region.join('×')}`,
    encoder: { ...base, region },
    parametersM: 84.9,
    gigaflops,
  })),
  { table: 'Table 10', name: 'tiny', encoder: lgiFormer('tiny'), parametersM: 21.5, gigaflops: 13.0 },
  { table: 'Table 10', name: 'small', encoder: lgiFormer('small'), parametersM: 47.9, gigaflops: 28.4 },
  { table: 'Table 10', name: 'base', encoder: base, parametersM: 84.9, gigaflops: 49.8 },
];
