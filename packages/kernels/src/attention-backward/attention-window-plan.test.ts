import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { paperRuntime, type PaperOptions } from '../runtime/paper-device.js';
import type { Ledger } from '../runtime/ledger.js';
import type { Runtime } from '../runtime/runtime.js';
import { attentionBackward } from './attention-backward.js';
import type { AttentionExtents } from '../attention/attention-layout.js';
import { sharedWindow, sharedWindowTiling } from './attention-window-plan.js';

type Size = readonly [groups: number, queries: number, keys: number, heads: number, headDimension: number];

const extentsOf = ([groups, queries, keys, heads, headDimension]: Size): AttentionExtents => ({
  groups,
  queries,
  keys,
  heads,
  channels: heads * headDimension,
});

/** dq, dk and dv: in one buffer, in one but for dq, or in three. */
type Buffers = 1 | 2 | 3;

function gradientsIn(
  runtime: Runtime,
  { groups, queries, keys, channels }: AttentionExtents,
  buffers: Buffers,
) {
  const parts = (rows: number, count: number) => {
    const array = runtime.empty([groups, rows, count * channels]);
    return (part: number) => array.slice(2, part * channels, (part + 1) * channels);
  };
  const part = parts(queries, buffers === 1 ? 3 : 1);
  const pair = buffers === 1 ? (i: number) => part(i + 1) : parts(keys, 2);
  return { dq: part(0), dk: pair(0), dv: buffers === 3 ? parts(keys, 1)(0) : pair(1) };
}

/** The kernels of one backward, by name, on a device that computes nothing. */
function kernelsOf(size: Size, buffers: Buffers, options: PaperOptions = {}): string[] {
  return [...ledgerOf(size, buffers, options).entries()].map(([kernel]) => kernel);
}

function ledgerOf(size: Size, buffers: Buffers, options: PaperOptions = {}): Ledger {
  const runtime = paperRuntime(options);
  const extents = extentsOf(size);
  const { groups, queries, keys, heads, channels } = extents;
  return runtime.scope(() => {
    const row = (rows: number) => runtime.empty([groups, rows, channels]);
    attentionBackward(runtime, {
      ...{ q: row(queries), k: row(keys), v: row(keys), out: row(queries), dOut: row(queries), heads },
      logSumExp: runtime.empty([groups, heads, queries]),
      ...gradientsIn(runtime, extents, buffers),
    });
    expect(runtime.counters.dispatches).toBe(runtime.counters.pipelinesCreated);
    return runtime.ledger;
  });
}

const preTraining: readonly Size[] = [
  [8, 11, 11, 8, 64],
  [1, 8, 8, 8, 64],
  [1, 80, 8, 8, 64],
];
const window = ['attention-backward-window'];
const two = ['attention-backward-query', 'attention-backward-key'];
const inChunks = [...window, 'attention-backward-reduce'];
const software = { adapter: { isSoftware: true } };

describe('the gradients of a window', () => {
  it.each(
    preTraining.flatMap(([groups, ...rest]) =>
      [1, 8].flatMap((clips) =>
        (rest[0] === rest[1] ? ([1, 2, 3] as const) : ([2, 3] as const)).flatMap((buffers) =>
          [
            { on: 'a GPU', options: {} },
            { on: 'a software adapter', options: software },
          ].map((device) => ({ size: [clips * groups, ...rest] as Size, buffers, ...device })),
        ),
      ),
    ),
  )('take one dispatch in pre-training: $size, $buffers buffers, on $on', ({ size, buffers, options }) => {
    expect(kernelsOf(size, buffers, options)).toEqual(window);
  });

  it.each([
    { size: [1, 128, 16, 8, 64], kernels: window, withSubgroups: window },
    { size: [1, 16, 17, 8, 64], kernels: two, withSubgroups: two },
    { size: [1, 129, 16, 8, 64], kernels: inChunks, withSubgroups: two },
    { size: [1, 800, 8, 8, 64], kernels: inChunks, withSubgroups: two },
    { size: [128, 129, 8, 8, 64], kernels: window, withSubgroups: two },
  ] as { size: Size; kernels: string[]; withSubgroups: string[] }[])(
    'take one or more with more than 16 keys or 128 queries: $size',
    ({ size, kernels, withSubgroups }) => {
      expect(kernelsOf(size, 2)).toEqual(kernels);
      const adapter = { isSoftware: true, subgroupMinSize: 8, subgroupMaxSize: 8, features: ['subgroups'] };
      expect(kernelsOf(size, 2, { adapter })).toEqual(withSubgroups);
    },
  );

  const bindings = { maxStorageBuffersPerShaderStage: 8 };
  const memory = { maxComputeWorkgroupStorageSize: 16384 };
  it.each([
    { what: 'room for eight arrays', keys: 11, head: 64, buffers: 2, limits: bindings, kernels: window },
    { what: 'one array too many', keys: 11, head: 64, buffers: 3, limits: bindings, kernels: two },
    { what: 'just enough workgroup memory', keys: 16, head: 64, buffers: 1, limits: memory, kernels: window },
    { what: 'too little workgroup memory', keys: 16, head: 128, buffers: 1, limits: memory, kernels: two },
    { what: 'the usual limits', keys: 16, head: 128, buffers: 1, limits: {}, kernels: window },
    {
      what: 'too small workgroups',
      keys: 16,
      head: 128,
      buffers: 1,
      limits: { maxComputeInvocationsPerWorkgroup: 64 },
      kernels: two,
    },
  ] as const)('take $kernels.length with $what', ({ keys, head, buffers, limits, kernels }) => {
    expect(kernelsOf([8, keys, keys, 8, head], buffers, { limits })).toEqual(kernels);
  });
});

describe('the ledger', () => {
  const [rows, statistics] = [4 * 8 * 11 * 512, 4 * 8 * 8 * 11];

  it('has every array of one kernel once', () => {
    const { bytesRead, bytesWritten } = ledgerOf([8, 11, 11, 8, 64], 1).total();
    expect(bytesRead).toBe(5 * rows + statistics);
    expect(bytesWritten).toBe(3 * rows);
  });

  it('has what two kernels read twice, and what goes from one to the other', () => {
    const limits = { maxStorageBuffersPerShaderStage: 8 };
    const { bytesRead, bytesWritten } = ledgerOf([8, 11, 11, 8, 64], 3, { limits }).total();
    expect(bytesRead).toBe(9 * rows + 3 * statistics);
    expect(bytesWritten).toBe(3 * rows + statistics);
  });

  it('has the parts of sums over many queries', () => {
    const [queryRows, keyRows, queryStatistics] = [4 * 800 * 512, 4 * 8 * 512, 4 * 8 * 800];
    const ledger = ledgerOf([1, 800, 8, 8, 64], 2);
    const { bytesRead, bytesWritten } = ledger.entries().get('attention-backward-window')!;
    expect(bytesRead).toBe(3 * queryRows + 2 * keyRows + queryStatistics);
    const parts = (bytesWritten - queryRows) / (2 * keyRows);
    expect(parts).toBe(25);
    const reduced = ledger.entries().get('attention-backward-reduce')!;
    expect(reduced.bytesRead).toBe(parts * 2 * keyRows);
    expect(reduced.bytesWritten).toBe(2 * keyRows);
  });
});

describe('sharedWindowTiling', () => {
  const source = readFileSync(new URL('attention-backward-window-tiled.wgsl', import.meta.url), 'utf8');

  /** Bytes of all arrays in workgroup memory, by the kernel's own declarations. */
  function declaredBytes(constants: Readonly<Record<string, number>>): number {
    const known: Record<string, number> = { ...constants };
    const valueOf = (expression: string): number =>
      expression
        .split('*')
        .map((factor) =>
          factor
            .split('+')
            .map((term) => known[term.trim()] ?? Number(term.trim().replace(/u$/, '')))
            .reduce((sum, term) => sum + term),
        )
        .reduce((product, factor) => product * factor);
    for (const [, name, value] of source.matchAll(/^const (\w+) = ([\w *+]+);/gm)) {
      known[name!] = valueOf(value!);
    }
    const elements: Record<string, number> = { f32: 4, vec2f: 8, vec4f: 16 };
    return [...source.matchAll(/^var<workgroup> \w+: array<(\w+), ([^>]+)>;/gm)]
      .map(([, element, count]) => elements[element!]! * valueOf(count!))
      .reduce((sum, bytes) => sum + bytes);
  }

  const keyCounts = Array.from({ length: 16 }, (_, i) => 1 + i);
  it.each(keyCounts)(
    'keeps every rule of the kernel and states the memory that it takes: %i keys',
    (keys) => {
      for (let headDimension = 1; headDimension <= 128; headDimension++) {
        const { workgroupBytes, ...tiling } = sharedWindowTiling(extentsOf([2, 9, keys, 3, headDimension]));
        const { KEYS, PARTS, PART_VEC4S, INVOCATIONS, DEPTH } = tiling;
        expect(KEYS).toBeGreaterThanOrEqual(keys);
        expect(PARTS % 4).toBe(0);
        expect(PART_VEC4S).toBeLessThanOrEqual(4);
        expect(INVOCATIONS).toBe(KEYS * PARTS);
        expect([64, 128]).toContain(INVOCATIONS);
        expect(DEPTH).toBe(4 * PARTS * PART_VEC4S);
        expect(DEPTH).toBeGreaterThanOrEqual(headDimension);
        expect(declaredBytes(tiling)).toBe(workgroupBytes);
        if (headDimension <= 64) expect(workgroupBytes).toBeLessThanOrEqual(16384);
      }
    },
  );

  it('is for few keys alone, with many queries in chunks of whole tiles', () => {
    const runtime = paperRuntime();
    expect(sharedWindow(runtime, extentsOf([8, 11, 11, 8, 64]))).toMatchObject({ queriesPerWorkgroup: 11 });
    expect(sharedWindow(runtime, extentsOf([8, 11, 17, 8, 64]))).toBeUndefined();
    expect(sharedWindow(runtime, extentsOf([8, 129, 11, 8, 64]))).toMatchObject({ queriesPerWorkgroup: 40 });
    expect(sharedWindow(runtime, extentsOf([8, 800, 8, 8, 64]))).toMatchObject({ queriesPerWorkgroup: 56 });
  });
});
