import { describe, expect, it } from 'vitest';
import { shapeClass } from '../runtime/shape-class.js';
import { tuningTableFromJson, tuningTableToJson } from './tuning-json.js';
import {
  TuningTable,
  TuningTableError,
  identityDifference,
  type TuningChoice,
  type TuningIdentity,
} from './tuning-table.js';

const identity: TuningIdentity = {
  adapter: { description: 'GPU of the test', features: 'shader-f16' },
  compiler: 'compiler 1',
  kernels: 'abc',
};
const choices: readonly TuningChoice[] = [
  { kernel: 'product', shape: shapeClass(0, 1024, 512, 512), variant: 'wide' },
  { kernel: 'product', shape: shapeClass(0, 8, 512, 512), variant: 'narrow' },
  { kernel: 'product', shape: shapeClass(1, 1024, 512, 512), variant: 'turned' },
  { kernel: 'norm', shape: shapeClass(0, 1024, 512), variant: 'subgroups' },
];
const table = new TuningTable(identity, choices);

describe('a tuning table', () => {
  it('gives the variant of the class that a shape lies in', () => {
    expect(table.choose('product', shapeClass(0, 808, 512, 400))).toBe('wide');
    expect(table.choose('product', shapeClass(0, 7, 512, 512))).toBe('narrow');
    expect(table.choose('norm', shapeClass(0, 808, 512))).toBe('subgroups');
  });

  it('gives that of the nearest class of the same form where none was measured, every time the same', () => {
    for (let i = 0; i < 2; i++) {
      expect(table.choose('product', shapeClass(0, 64, 512, 512))).toBe('narrow');
      expect(table.choose('product', shapeClass(0, 128, 512, 512))).toBe('wide');
      expect(table.choose('product', shapeClass(0, 100_000, 512, 2048))).toBe('wide');
      expect(table.choose('product', shapeClass(1, 8, 512, 512))).toBe('turned');
      expect(table.choose('product', shapeClass(2, 8, 512, 512))).toBeUndefined();
      expect(table.choose('other', shapeClass(0, 8))).toBeUndefined();
    }
  });

  it('takes the smaller class of two at the same distance, in whatever order they were measured', () => {
    const two = [
      { kernel: 'k', shape: shapeClass(0, 64), variant: 'large' },
      { kernel: 'k', shape: shapeClass(0, 16), variant: 'small' },
    ];
    for (const list of [two, [...two].reverse()]) {
      expect(new TuningTable(identity, list).choose('k', shapeClass(0, 32))).toBe('small');
    }
  });

  it('has one digest for the same choices in any order, another for any other table', () => {
    const digest = (of: TuningIdentity, list: readonly TuningChoice[]) => new TuningTable(of, list).digest;
    expect(digest(identity, [...choices].reverse())).toBe(table.digest);
    const turned = { ...identity, adapter: { features: 'shader-f16', description: 'GPU of the test' } };
    expect(digest(turned, choices)).toBe(table.digest);
    expect(digest(identity, choices.slice(1))).not.toBe(table.digest);
    expect(digest({ ...identity, kernels: 'abd' }, choices)).not.toBe(table.digest);
    expect(digest(identity, [{ ...choices[0]!, variant: 'narrow' }, ...choices.slice(1)])).not.toBe(
      table.digest,
    );
  });

  it('does not have two choices for one class', () =>
    expect(() => new TuningTable(identity, [...choices, choices[0]!])).toThrow(
      new TuningTableError('two choices for kernel product at 1024×512×512×1'),
    ));
});

describe('a tuning table as JSON', () => {
  const json = () => JSON.parse(JSON.stringify(tuningTableToJson(table))) as Record<string, unknown>;

  it('comes back the same', () => {
    const read = tuningTableFromJson({ ...json(), measuredAt: 'yesterday' });
    expect(read.choices).toEqual(table.choices);
    expect(read.identity).toEqual(identity);
    expect(read.digest).toBe(table.digest);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /the table is not an object/],
    ['a list', [], /the table is not an object/],
    ['another format', { format: 'else' }, /not a tubelet tuning table: "format" is "else"/],
    ['a later version', { ...json(), version: 2 }, /version 2, and this reads 1/],
    ['no choices', { ...json(), choices: undefined }, /"choices" is not a list/],
    ['no identity', { ...json(), identity: undefined }, /"identity" is not an object/],
    ['half an identity', { ...json(), identity: { adapter: {} } }, /lacks its compiler/],
    ['an odd adapter', { ...json(), identity: { ...identity, adapter: { a: null } } }, /text nor number/],
    ['an odd choice', { ...json(), choices: [{ kernel: 'k', variant: 'v' }] }, /"choices\[0\]" is/],
    [
      'extents that are not a class',
      { ...json(), choices: [{ kernel: 'k', variant: 'v', extents: [3, 1, 1, 1], form: 0 }] },
      /"choices\[0\]" is .*3/,
    ],
    [
      'a choice less',
      { ...json(), choices: tuningTableToJson(table).choices.slice(1) },
      /its digest should be/,
    ],
  ])('is refused with the reason: %s', (_, value, message) => {
    expect(() => tuningTableFromJson(value)).toThrow(TuningTableError);
    expect(() => tuningTableFromJson(value)).toThrow(message);
  });
});

describe('identityDifference', () => {
  it.each<[string, Partial<TuningIdentity>, string | undefined]>([
    ['nothing', {}, undefined],
    [
      'another adapter',
      { adapter: { description: 'Elsewhere', features: 'shader-f16' } },
      'it was measured on "GPU of the test", and this is "Elsewhere"',
    ],
    [
      'other features',
      { adapter: { description: 'GPU of the test', features: '' } },
      'it was measured on "GPU of the test" with other features',
    ],
    [
      'another compiler',
      { compiler: 'compiler 2' },
      'it was measured with compiler 1, and this is compiler 2',
    ],
    ['other kernels', { kernels: 'abd' }, 'the kernels have changed since it was measured'],
  ])('names %s', (_, change, words) =>
    expect(identityDifference(identity, { ...identity, ...change })).toBe(words),
  );
});
