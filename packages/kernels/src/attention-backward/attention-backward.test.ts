import { describe, expect, it } from 'vitest';
import { canHold } from '../kernel-spec.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { HostData } from '../runtime/runtime.js';
import { runnableVariants, type Variant } from '../runtime/variants.js';
import { checkCase, makeHostData, runOnce, scaledError } from '../testing/kernel-harness.js';
import { testRandom } from '../testing/random.js';
import { isFullTest } from '../testing/test-level.js';
import { useRuntime } from '../testing/test-runtime.js';
import { attentionBackward, attentionBackwardVariants } from './attention-backward.js';
import { attentionBackwardKernel } from './attention-backward.cases.js';
import { attention } from '../attention/attention.js';
import { attentionBackwardReference } from '../attention/attention.reference.js';
import { casesFor } from '../attention/attention.testing.js';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('attention-backward', () => {
  const runtime = useRuntime({ matrixUnits: true });
  const canRun = (variant: Variant) => runnableVariants(runtime(), [variant]).length > 0;

  for (const variant of attentionBackwardVariants) {
    it.for(casesFor(attentionBackwardKernel, variant))(
      `${variant.name} matches float64: $name`,
      async (testCase, { skip }) => {
        skip(!canRun(variant), 'this device cannot run the variant');
        skip(!canHold(runtime(), attentionBackwardKernel, testCase.shape), 'this device has no f16');
        await checkCase(runtime(), attentionBackwardKernel, testCase, variant);
      },
    );
  }

  // With few keys, up to 128 queries are a window, and 20 use the program of a larger class than 9; 200 are summed in
  // chunks and reduced.
  const layouts = attentionBackwardVariants.flatMap((variant) =>
    (isFullTest ? [9] : [20, 200]).map((queries) => ({ name: variant.name, variant, queries })),
  );
  it.for(layouts)(
    '$name fills dk and dv slices of one buffer, $queries queries',
    async ({ name, variant, queries }, { skip }) => {
      skip(!canRun(variant), 'this device cannot run the variant');
      const [groups, keys, heads, headDimension] = [1, 5, 2, 16];
      const channels = heads * headDimension;
      const random = testRandom(4);
      const normals = (rows: number) => Float32Array.from({ length: rows * channels }, () => random.normal());
      const host = { q: normals(queries), k: normals(keys), v: normals(keys), dOut: normals(queries) };
      const shape = { groups, queries, keys, heads, headDimension };
      const [q64, k64, v64, dOut64] = Object.values(host).map((values) => Float64Array.from(values));
      const expected = attentionBackwardReference(shape, q64!, k64!, v64!, dOut64!);
      runtime().forcedVariants.set('attention-backward', name);
      try {
        const { dq, dkv } = await runtime().scope(async () => {
          const upload = (values: Float32Array, rows: number) =>
            runtime().upload(values, [groups, rows, channels]);
          const [q, dOut] = [upload(host.q, queries), upload(host.dOut, queries)];
          const [k, v] = [upload(host.k, keys), upload(host.v, keys)];
          const [out, dqArray] = [runtime().empty(q.shape), runtime().empty(q.shape)];
          const logSumExp = runtime().empty([groups, heads, queries]);
          const joined = runtime().empty([groups, keys, 2 * channels]);
          attention(runtime(), { q, k, v, out, logSumExp, heads });
          attentionBackward(runtime(), {
            ...{ q, k, v, out, logSumExp, dOut, heads },
            dq: dqArray,
            dk: joined.slice(2, 0, channels),
            dv: joined.slice(2, channels, 2 * channels),
          });
          return { dq: await runtime().read(dqArray), dkv: await runtime().read(joined) };
        });
        const column = (part: number) =>
          Float32Array.from({ length: keys * channels }, (_, i) => {
            const row = Math.floor(i / channels);
            return dkv[row * 2 * channels + part * channels + (i % channels)]!;
          });
        // Rounded to f16, the inputs err by 2⁻¹¹ each, and so do weights.
        const f16 = variant.precision === 'f16' ? 5e-3 : 0;
        expect(scaledError(dq, expected.q)).toBeLessThan(f16 || 1e-6);
        expect(scaledError(column(0), expected.k)).toBeLessThan(f16 || 2e-6);
        expect(scaledError(column(1), expected.v)).toBeLessThan(f16 || 2e-6);
      } finally {
        runtime().forcedVariants.delete('attention-backward');
      }
    },
  );

  const windows = attentionBackwardVariants.flatMap((variant) =>
    [7, 18].map((tokens) => ({ name: variant.name, variant, tokens })),
  );
  it.for(windows)(
    '$name fills dq, dk and dv slices of one buffer from slices of one buffer, $tokens tokens',
    async ({ variant, tokens }, { skip }) => {
      skip(!canRun(variant), 'this device cannot run the variant');
      const [groups, heads, headDimension] = [2, 2, 16];
      const channels = heads * headDimension;
      const random = testRandom(6);
      const host = Float32Array.from({ length: groups * tokens * 3 * channels }, () => random.normal());
      const dOutHost = Float32Array.from({ length: groups * tokens * channels }, () => random.normal());
      const column = (values: Float32Array, part: number) =>
        Float64Array.from({ length: groups * tokens * channels }, (_, i) => {
          const row = Math.floor(i / channels);
          return values[row * 3 * channels + part * channels + (i % channels)]!;
        });
      const shape = { groups, queries: tokens, keys: tokens, heads, headDimension };
      const expected = attentionBackwardReference(
        shape,
        column(host, 0),
        column(host, 1),
        column(host, 2),
        Float64Array.from(dOutHost),
      );
      runtime().forcedVariants.set('attention-backward', variant.name);
      const actual = await runtime()
        .scope(async () => {
          const parts = (array: GpuArray) =>
            [0, 1, 2].map((part) => array.slice(2, part * channels, (part + 1) * channels)) as [
              GpuArray,
              GpuArray,
              GpuArray,
            ];
          const gradients = runtime().empty([groups, tokens, 3 * channels]);
          const [q, k, v] = parts(runtime().upload(host, [groups, tokens, 3 * channels]));
          const [dq, dk, dv] = parts(gradients);
          const dOut = runtime().upload(dOutHost, [groups, tokens, channels]);
          const out = runtime().empty(dOut.shape);
          const logSumExp = runtime().empty([groups, heads, tokens]);
          attention(runtime(), { q, k, v, out, logSumExp, heads });
          const { dispatches } = runtime().counters;
          attentionBackward(runtime(), { q, k, v, out, logSumExp, dOut, dq, dk, dv, heads });
          const extents = { groups, queries: tokens, keys: tokens, channels: heads * headDimension, heads };
          const isWindow = variant.window?.(runtime(), extents) !== undefined;
          expect(runtime().counters.dispatches - dispatches).toBe(isWindow ? 1 : 2);
          return runtime().read(gradients);
        })
        .finally(() => runtime().forcedVariants.delete('attention-backward'));
      const bound = variant.precision === 'f16' ? 5e-3 : 1e-6;
      expect(scaledError(column(actual, 0), expected.q)).toBeLessThan(bound);
      expect(scaledError(column(actual, 1), expected.k)).toBeLessThan(bound);
      expect(scaledError(column(actual, 2), expected.v)).toBeLessThan(bound);
    },
  );

  // 5 keys are a window, 33 are not.
  const spoilt = attentionBackwardVariants.flatMap((variant) =>
    [5, 33].flatMap((keys) => (['q', 'k'] as const).map((input) => ({ variant, keys, input }))),
  );
  it.for(spoilt)(
    '$variant.name lets NaN in $input of $keys keys through',
    async ({ variant, keys, input }, { skip }) => {
      skip(!canRun(variant), 'this device cannot run the variant');
      const shape = { groups: 1, queries: 9, keys, heads: 2, headDimension: 16 };
      const host = makeHostData(attentionBackwardKernel.inputs(shape), testRandom(5));
      // Channel 3 of row 2, of the first head; out and logSumExp are those of the forward without it.
      host[input]![2 * 32 + 3] = NaN;
      runtime().forcedVariants.set('attention-backward', variant.name);
      const { dq, dk, dv } = await runOnce(runtime(), attentionBackwardKernel, shape, host, {}).finally(() =>
        runtime().forcedVariants.delete('attention-backward'),
      );
      // Others of the same head may be NaN too: they would be with the `out` of such a forward.
      const headOf = (gradient: HostData, head: number, row: number) => gradient[row * 32 + head * 16]!;
      const [queryRows, keyRows] = input === 'q' ? [[2], range(keys)] : [range(shape.queries), [2]];
      for (const row of queryRows) expect(headOf(dq!, 0, row), `dq, row ${row}`).toBeNaN();
      for (const row of keyRows) {
        expect(headOf(dk!, 0, row), `dk, row ${row}`).toBeNaN();
        expect(headOf(dv!, 0, row), `dv, row ${row}`).toBeNaN();
      }
      for (const row of range(shape.queries)) expect(headOf(dq!, 1, row), `dq, row ${row}`).not.toBeNaN();
      for (const row of range(keys)) expect(headOf(dk!, 1, row), `dk, row ${row}`).not.toBeNaN();
    },
  );

  it.each([
    { what: 'dk of another shape', message: /attention-backward: dk must be \[1, 4, 8\]/ },
    { what: 'dq in the buffer of an input', message: /dq and dOut share a buffer/ },
  ])('refuses $what', ({ what, message }) => {
    runtime().scope(() => {
      const make = () => runtime().empty([1, 4, 8]);
      const good = {
        ...{ q: make(), k: make(), v: make(), out: make(), dOut: make() },
        ...{ dq: make(), dk: make(), dv: make(), logSumExp: runtime().empty([1, 2, 4]), heads: 2 },
      };
      const bad = what.startsWith('dk') ? { dk: runtime().empty([1, 3, 8]) } : { dq: good.dOut };
      expect(() => attentionBackward(runtime(), { ...good, ...bad })).toThrow(message);
    });
  });
});
