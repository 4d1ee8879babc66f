import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lgiFormer, paperDecoder, vitBase } from './config.js';
import { classifierSpecs, pretrainingSpecs, type Specs } from './parameter-specs.js';

type Keys = Readonly<Record<string, readonly number[]>>;

const published = JSON.parse(
  readFileSync(new URL('./fixtures/published-keys.json', import.meta.url), 'utf8'),
) as Readonly<Record<'pretrain' | 'finetune' | 'videomae_pretrain' | 'videomae_finetune', Keys>>;

/** Names and shapes as they are stored: packs are an arrangement in memory only. */
function stored(specs: Specs): [string, readonly number[]][] {
  return specs.flatMap((spec) =>
    'pack' in spec
      ? spec.parts.flatMap((part) =>
          'name' in part ? [[part.name, part.shape] as [string, readonly number[]]] : [],
        )
      : [[spec.name, spec.shape] as [string, readonly number[]]],
  );
}

function count(specs: Specs): number {
  return stored(specs).reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

describe('parameters', () => {
  it.each([
    ['pretrain', pretrainingSpecs(lgiFormer('base'), paperDecoder)],
    ['finetune', classifierSpecs(lgiFormer('base'), 7)],
    ['videomae_pretrain', pretrainingSpecs(vitBase(), paperDecoder)],
    ['videomae_finetune', classifierSpecs(vitBase(), 7)],
  ] as const)('have the published names, shapes and order: %s', (name, specs) => {
    expect(stored([...specs])).toEqual(Object.entries(published[name]));
  });

  it('are as many as published', () => {
    expect(count(pretrainingSpecs(lgiFormer('base'), paperDecoder))).toBe(92_760_192);
    expect(count(classifierSpecs(lgiFormer('base'), 7))).toBe(84_878_343);
    expect(count(classifierSpecs(lgiFormer('base'), 11))).toBe(84_880_395);
    expect(count(classifierSpecs(lgiFormer('tiny'), 7))).toBe(21_467_655);
    expect(count(classifierSpecs(lgiFormer('small'), 7))).toBe(47_930_119);
    expect(count(classifierSpecs(vitBase(), 7))).toBe(86_232_583);
    expect(count(pretrainingSpecs(vitBase(), paperDecoder))).toBe(94_210_944);
  });

  it('lie so that one product projects queries, keys and values', () => {
    const packs = classifierSpecs(lgiFormer('tiny', { depth: 1 }), 7).filter((spec) => 'pack' in spec);
    expect(packs.map((spec) => spec.pack)).toEqual([
      'patch_embed.proj.matrix',
      'blocks.0.first_attn.qkv_bias',
      'blocks.0.first_attn.qkv',
      'blocks.0.second_attn.qkv_bias',
      'blocks.0.second_attn.qkv',
      'blocks.0.third_attn.kv_bias',
    ]);
  });
});
