import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classifierShapes } from './classifier.js';
import { lgiFormer, paperDecoder, vitBase, type EncoderConfig } from './config.js';
import { pretrainingShapes } from './pretraining-model.js';

type Keys = Readonly<Record<string, readonly number[]>>;

const published = JSON.parse(
  readFileSync(new URL('./fixtures/published-keys.json', import.meta.url), 'utf8'),
) as Readonly<Record<'pretrain' | 'finetune' | 'videomae_pretrain' | 'videomae_finetune', Keys>>;

const pretraining = (encoder: EncoderConfig) => pretrainingShapes({ encoder, decoder: paperDecoder });

function count(shapes: ReadonlyMap<string, readonly number[]>): number {
  return [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

describe('parameters', () => {
  it.each([
    ['pretrain', pretraining(lgiFormer('base'))],
    ['finetune', classifierShapes(lgiFormer('base'), 7)],
    ['videomae_pretrain', pretraining(vitBase())],
    ['videomae_finetune', classifierShapes(vitBase(), 7)],
  ] as const)('have the published names, shapes and order: %s', (name, shapes) => {
    expect([...shapes]).toEqual(Object.entries(published[name]));
  });

  it('are as many as published', () => {
    expect(count(pretraining(lgiFormer('base')))).toBe(92_760_192);
    expect(count(classifierShapes(lgiFormer('base'), 7))).toBe(84_878_343);
    expect(count(classifierShapes(lgiFormer('base'), 11))).toBe(84_880_395);
    expect(count(classifierShapes(lgiFormer('tiny'), 7))).toBe(21_467_655);
    expect(count(classifierShapes(lgiFormer('small'), 7))).toBe(47_930_119);
    expect(count(classifierShapes(vitBase(), 7))).toBe(86_232_583);
    expect(count(pretraining(vitBase()))).toBe(94_210_944);
  });
});
