import { describe, expect, it } from 'vitest';
import { regionMajorOrder } from './classifier.js';
import {
  decoderFromJson,
  encoderFromJson,
  lgiFormer,
  regionCount,
  tokenCount,
  tokenGrid,
  validateDecoder,
  validateEncoder,
  vitBase,
} from './config.js';
import { maskDesign } from './mask.js';
import { sinusoidTable } from './positions.js';

describe('configurations', () => {
  it('have the token grid and regions of the paper', () => {
    const base = lgiFormer('base');
    expect(tokenGrid(base)).toEqual([8, 10, 10]);
    expect(tokenCount(base)).toBe(800);
    expect(regionCount(base)).toBe(8);
    expect(regionCount(vitBase())).toBe(1);
    expect([lgiFormer('tiny').heads, lgiFormer('small').heads, base.heads]).toEqual([4, 6, 8]);
  });

  it.each([
    [{ region: [3, 5, 10] as const }, /region 3×5×10 does not divide the token grid 8×10×10/],
    [{ imageSize: 150 }, /imageSize \(150\) is not a multiple of patchSize \(16\)/],
    [{ frames: 15 }, /frames \(15\) is not a multiple of tubeletSize \(2\)/],
    [{ heads: 3 }, /dim \(512\) is not a multiple of heads \(3\)/],
    [{ depth: 0 }, /depth is 0/],
    [{ dim: 7, heads: 1 }, /dim is 7/],
  ])('refuse %j and say why', (overrides, message) => {
    expect(() => validateEncoder(lgiFormer('base', overrides))).toThrow(message);
  });

  it('refuse a decoder whose heads do not divide its width', () => {
    expect(() => validateDecoder({ dim: 384, depth: 4, heads: 5 })).toThrow(
      /decoder dim \(384\).*decoder heads \(5\)/,
    );
  });

  it('mask windows for LGI-Former and whole frames for a ViT', () => {
    expect(maskDesign(lgiFormer('base'), 0.9)).toMatchObject({ region: [2, 5, 10] });
    expect(maskDesign(vitBase(), 0.9)).toMatchObject({ kind: 'tube' });
  });
});

describe('token order', () => {
  it('is region by region, ascending inside, every token once', () => {
    const order = regionMajorOrder(lgiFormer('base', { region: [2, 5, 5] }));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 800 }, (_, i) => i));
    // The first region: slots 0 and 1, rows 0…4, columns 0…4.
    expect([...order.subarray(0, 7)]).toEqual([0, 1, 2, 3, 4, 10, 11]);
    expect(order[25]).toBe(100);
    // The second region starts at column 5.
    expect(order[50]).toBe(5);
  });
});

describe('positions', () => {
  it('are sines and cosines of the flattened index', () => {
    const table = sinusoidTable(800, 512);
    expect(table[0]).toBe(0);
    expect(table[1]).toBe(1);
    expect(table[799 * 512]).toBe(Math.fround(Math.sin(799)));
    expect(table[5 * 512 + 511]).toBe(Math.fround(Math.cos(5 / 10000 ** (510 / 512))));
  });
});

describe('what a file says of a model', () => {
  it('is taken where a model can be made of it', () => {
    for (const config of [lgiFormer('tiny'), vitBase()]) {
      expect(encoderFromJson(JSON.parse(JSON.stringify(config)))).toEqual(config);
    }
    expect(decoderFromJson({ dim: 32, depth: 1, heads: 2 })).toEqual({ dim: 32, depth: 1, heads: 2 });
  });

  it.each([
    [null, /the encoder is null/],
    [{ ...lgiFormer('tiny'), kind: 'other' }, /kind is "other"/],
    [{ ...lgiFormer('tiny'), depth: 1e12 }, /depth is 1000000000000; .*from 1 to 1000/],
    [{ ...lgiFormer('tiny'), heads: undefined }, /heads is undefined/],
    [{ ...lgiFormer('tiny'), region: [1, 2] }, /region is \[1,2\]/],
    [{ ...lgiFormer('tiny'), region: [1, 2, 'x'.repeat(1e5)] }, /^region .{0,1000}$/],
    [{ ...lgiFormer('tiny'), interRegion: 'yes' }, /interRegion and localGlobal/],
  ])('is refused otherwise: %#', (value, message) => {
    expect(() => encoderFromJson(value)).toThrow(message);
  });

  it('is refused of a decoder likewise', () => {
    expect(() => decoderFromJson([])).toThrow(/decoder dim is undefined/);
  });
});
