import type { Runtime } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { cubeSize, lgiFormer, regionCount, tokenCount, vitBase, type EncoderConfig } from '@tubelet/mae-dfer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countForward, PAPER_CLASSES } from './count-flops.js';
import { efficiencyOf, formatEfficiency, statedAttention } from './efficiency.js';
import { paperRows } from './paper-rows.js';
import { recordingRuntime } from '../shared/recording-runtime.js';
import { compareRow, flopsReport, formatFlops } from './report.js';

/** Multiply–accumulates, layer-norm operations and parameters in closed form: what the ledger is held against. */
function closedForm(config: EncoderConfig, classes: number) {
  const { dim: d, depth } = config;
  const tokens = tokenCount(config);
  const cube = cubeSize(config);
  const attention = 4 * d * d + 3 * d;
  const ffn = 8 * d * d + 5 * d;
  let macs = cube * d * tokens + d * classes;
  let normElements = d;
  let parameters = (cube + 1) * d + 2 * d + (d + 1) * classes;
  if (config.kind === 'vit') {
    macs += depth * (12 * d * d * tokens + 2 * tokens * tokens * d);
    normElements += depth * 2 * d * tokens;
    parameters += depth * (attention + ffn + 4 * d);
    return { macs, layerNormFlops: 5 * normElements, parameters };
  }
  const m = regionCount(config);
  const s = tokens / m;
  const { interRegion, localGlobal } = config;
  let block = 4 * d * d * (tokens + m) + 2 * m * (s + 1) ** 2 * d + 8 * d * d * (tokens + m);
  let norms = 2 * (tokens + m);
  let blockParameters = attention + ffn + 4 * d;
  if (interRegion) {
    block += 4 * d * d * m + 2 * m * m * d;
    norms += m;
    blockParameters += attention + 2 * d;
  }
  if (localGlobal) {
    block += 2 * d * d * tokens + 2 * d * d * m + 2 * tokens * m * d;
    norms += tokens + m;
    blockParameters += attention + 4 * d;
  }
  return {
    macs: macs + depth * block,
    layerNormFlops: 5 * (normElements + depth * norms * d),
    parameters: parameters + depth * blockParameters + m * d,
  };
}

const small = { frames: 4, imageSize: 32, tubeletSize: 2, patchSize: 16, dim: 64, depth: 2, heads: 2 };
const smallLgi = lgiFormer('tiny', { ...small, region: [1, 1, 2] });

describe('FLOPs from the ledger', () => {
  let device: Runtime;
  beforeAll(async () => {
    device = await openNodeRuntime();
  });
  afterAll(() => closeNodeRuntime(device));

  it.each([
    ['full', smallLgi],
    ['local attention only', { ...smallLgi, interRegion: false, localGlobal: false }],
    ['without inter-region', { ...smallLgi, interRegion: false }],
    ['ViT', vitBase(small)],
  ] as const)('are those of the closed form when a small model runs: %s', async (_name, config) => {
    expect(await countForward(device, config, 5)).toMatchObject(closedForm(config, 5));
  });

  it('are the same when a pass is only recorded', async () => {
    const executed = await countForward(device, smallLgi);
    expect(await countForward(recordingRuntime(device), smallLgi)).toEqual(executed);
  });

  it('equal the paper in all 13 rows at the printed decimal, and the closed form exactly', async () => {
    const rows = await flopsReport(recordingRuntime(device), paperRows);
    expect(rows.filter((row) => !row.equal).map((row) => row.name)).toEqual([]);
    expect(rows).toHaveLength(13);
    for (const row of rows) expect(row.count).toMatchObject(closedForm(row.encoder, PAPER_CLASSES));
    expect(formatFlops(rows)).toContain('13 of 13 rows');
  });

  it('of LGI-Former beside ViT-B are 38 % fewer, with the share of attention that its structure gives', async () => {
    const base = lgiFormer('base');
    const found = await efficiencyOf(recordingRuntime(device), base, 2);
    const { lgiFormer: ours, vit } = found.forwardFlops;
    expect((1 - ours / vit).toFixed(2)).toBe('0.38');
    const [regions, tokens] = [8, 100];
    const products = regions * (tokens + 1) ** 2 + regions ** 2 + regions * tokens * regions;
    expect(found.attention.counted).toBeCloseTo(products / (regions * tokens) ** 2, 12);
    expect(statedAttention(base)).toBeCloseTo(1 / 8 + 1 / 1e4 + 1 / 100, 12);
    for (const { lgiFormer: mine, vit: theirs } of found.steps) {
      expect(mine.flops).toBeLessThan(theirs.flops);
      expect(mine.seconds).toBeUndefined();
    }
    const text = formatEfficiency(found);
    expect(text).toContain('49.8 GFLOPs against 80.8, 38.4 % fewer');
    expect(text).toMatch(/^pretrain +memory +\d/m);
    expect(text).not.toContain('time');
  });

  it('are reported as unequal when they differ from the paper', async () => {
    const count = await countForward(device, smallLgi);
    const row = compareRow(
      { ...paperRows[0]!, gigaflops: 42.8 },
      { ...count, parameters: 51.2e6, flops: 42.7e9 },
    );
    expect(row.equal).toBe(false);
    expect(formatFlops([row])).toContain('NO (42.700)');
  });
});
