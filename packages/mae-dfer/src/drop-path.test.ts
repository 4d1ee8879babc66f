import { Engine } from '@tubelet/autograd';
import { dropPathScalesHost } from '@tubelet/kernels';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, lgiFormer, vitBase } from './config.js';
import { DropPath, dropPathRates } from './drop-path.js';

const runtime = await openNodeRuntime();
const engine = new Engine(runtime);
afterAll(() => closeNodeRuntime(runtime));

const small = { dim: 16, depth: 3, heads: 1, imageSize: 64, frames: 4, region: [1, 2, 4] } as const;
const REGIONS = 4;
const TOKENS = 32;
const key = { seed: 7, epoch: 2, samples: [5, 0, 11] };

/** Every drawn factor by `block.branch`. */
async function drawn(dropPath: DropPath): Promise<Map<string, { rowsPerScale: number; scale: number[] }>> {
  return engine.step(async () => {
    const found = new Map<string, { rowsPerScale: number; scale: number[] }>();
    for (const [block, branches] of (dropPath.draw(key) ?? []).entries()) {
      for (const [name, { scale, rowsPerScale }] of Object.entries(branches)) {
        found.set(`${block}.${name}`, { rowsPerScale, scale: [...(await runtime.read(scale))] });
      }
    }
    return found;
  });
}

/** What the host draws for branches of the given numbers and rates. */
function onHost(branch: number, rate: number, unitsPerSample: number): number[] {
  return [...dropPathScalesHost({ branches: [{ branch, rate }], unitsPerSample, ...key })];
}

describe('DropPath', () => {
  it('raises the rate from nothing to its full value', () => {
    expect(dropPathRates(3, 0.2)).toEqual([0, 0.1, 0.2]);
    expect(dropPathRates(1, 0.2)).toEqual([0]);
  });

  it('draws for each region in local attention and feed-forward, for each clip in the others', async () => {
    const dropPath = new DropPath(runtime, lgiFormer('tiny', small), 0.5);
    const draws = await drawn(dropPath);
    expect([...draws.keys()]).toEqual(
      [1, 2].flatMap((b) =>
        ['local', 'interRegion', 'localGlobal', 'feedForward'].map((name) => `${b}.${name}`),
      ),
    );
    const perRegion = 1 + TOKENS / REGIONS;
    expect(draws.get('1.local')).toEqual({ rowsPerScale: perRegion, scale: onHost(4, 0.25, REGIONS) });
    expect(draws.get('1.interRegion')).toEqual({ rowsPerScale: REGIONS, scale: onHost(5, 0.25, 1) });
    expect(draws.get('2.localGlobal')).toEqual({ rowsPerScale: TOKENS, scale: onHost(10, 0.5, 1) });
    expect(draws.get('2.feedForward')).toEqual({ rowsPerScale: perRegion, scale: onHost(11, 0.5, REGIONS) });
    dropPath.release();
  });

  it('keeps the other branches’ draws when an ablation leaves one out', async () => {
    const whole = await drawn(new DropPath(runtime, lgiFormer('tiny', small), 0.5));
    const ablated = await drawn(
      new DropPath(runtime, lgiFormer('tiny', { ...small, interRegion: false }), 0.5),
    );
    whole.delete('1.interRegion');
    whole.delete('2.interRegion');
    expect(ablated).toEqual(whole);
  });

  it('draws two branches a block for a ViT', async () => {
    const { region: _region, ...clip } = small;
    const draws = await drawn(new DropPath(runtime, vitBase(clip), 0.5));
    expect(draws.get('1.attention')).toEqual({ rowsPerScale: TOKENS, scale: onHost(4, 0.25, 1) });
    expect(draws.get('2.feedForward')).toEqual({ rowsPerScale: TOKENS, scale: onHost(9, 0.5, 1) });
    expect(draws.size).toBe(4);
  });

  it('draws nothing at rate 0 and refuses rates that are none', () => {
    expect(new DropPath(runtime, lgiFormer('tiny', small), 0).draw(key)).toBeUndefined();
    expect(() => new DropPath(runtime, lgiFormer('tiny', small), 1)).toThrow(ConfigError);
    expect(() => new DropPath(runtime, lgiFormer('tiny', small), -0.1)).toThrow('-0.1');
  });
});
