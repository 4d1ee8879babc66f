import { MaskError, windowMaskCounts, type GpuArray } from '@tubelet/kernels';
import { expect, it } from 'vitest';
import { lgiFormer, vitBase, type EncoderConfig } from './config.js';
import { maskDesign, requireMask } from './mask.js';

const small = { imageSize: 80 };
const lists = {} as GpuArray;
const maskOf = (config: EncoderConfig) => ({
  counts: windowMaskCounts(maskDesign(config, 0.9)),
  visible: lists,
  masked: lists,
  visibleAscending: lists,
});

it('takes masks of the model’s clips and regions, and refuses others, naming both', () => {
  const model = vitBase();
  expect(() => requireMask(maskOf(model), model)).not.toThrow();
  expect(() => requireMask(maskOf(vitBase(small)), model)).toThrow(MaskError);
  expect(() => requireMask(maskOf(vitBase(small)), model)).toThrow(/8×5×5 tokens .* takes 8×10×10/);
  expect(() => requireMask(maskOf(lgiFormer('base')), model)).toThrow(/regions of 2×5×10, but .* of 8×10×10/);
});
