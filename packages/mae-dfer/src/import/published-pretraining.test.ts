import { expect, it } from 'vitest';
import { CheckpointFormatError } from '@tubelet/autograd/formats';
import { lgiFormer, type Extents } from '../config.js';
import { pretrainingShapes } from '../pretraining-model.js';
import { publishedPretraining } from './published-pretraining.js';

/** The tensors of a published file of a model with these regions, without their values. */
function checkpoint(region: Extents) {
  const encoder = lgiFormer('base', { dim: 64, depth: 1, heads: 1, region });
  const shapes = pretrainingShapes({ encoder, decoder: { dim: 64, depth: 1, heads: 1 } });
  const noValues = { dtype: 'F32', data: new Float32Array() } as const;
  const tensors = new Map([...shapes].map(([name, shape]) => [name, { ...noValues, shape }]));
  return { tensors, settings: new Map() };
}
const regionOf = (region: Extents, knownRegion?: Extents) =>
  publishedPretraining(checkpoint(region), knownRegion).encoder;

const UNIQUE: Extents[] = [
  [2, 5, 10],
  [1, 5, 10],
  [2, 2, 10],
];
const EQUAL: Extents[] = [
  [2, 10, 10],
  [4, 5, 10],
];

it('tells regions by their number', () => {
  for (const region of UNIQUE) expect(regionOf(region)).toMatchObject({ region });
});

it('does not guess which of two regions it is that are equal in number', () => {
  for (const region of EQUAL) {
    expect(() => regionOf(region)).toThrow(CheckpointFormatError);
    expect(() => regionOf(region)).toThrow(
      /4 regions, as 2×10×10 and 4×5×10 both give.*2,10,10` or `--region 4,5,10`/,
    );
    expect(regionOf(region, region)).toMatchObject({ region });
  }
});

it('refuses a number of regions that the paper has not', () => {
  expect(() => regionOf([8, 10, 10])).toThrow(/it has 1 regions, and none of those in the paper/);
});
