import { expect, it } from 'vitest';
import { lgiFormer } from '@tubelet/mae-dfer';
// Test code of a neighbour, which is not part of what its package offers.
import {
  publishedArchive,
  publishedShapes,
  stateDictArchive,
} from '../../../packages/mae-dfer/src/import/testing/published-archive.js';
import { ModelFileError, readModelFile } from './model-file.js';

it('reads a published checkpoint of pre-training, and says what others lack', () => {
  const { kind, config, weights, frameStep } = readModelFile('checkpoint-49.pth', publishedArchive());
  expect(kind).toBe('pretraining');
  expect(config.encoder).toEqual(lgiFormer('base', { dim: 64, depth: 2, heads: 1 }));
  expect([...weights.keys()]).toEqual([...publishedShapes().keys()]);
  expect(frameStep).toBe(4);

  const classifier = stateDictArchive(new Map([['head.weight', [7, 64]]]), 'model');
  expect(() => readModelFile('dfew.pth', classifier)).toThrow(/^dfew.pth cannot be read: .*tubelet export/);
  expect(() => readModelFile('cut.pth', publishedArchive().subarray(0, 5000))).toThrow(ModelFileError);
});
