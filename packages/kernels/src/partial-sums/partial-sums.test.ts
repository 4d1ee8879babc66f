import { describe, expect, it } from 'vitest';
import { GpuArray } from '../runtime/gpu-array.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { runnableVariants } from '../runtime/variants.js';
import { PartialSums, partialSumsVariants } from './partial-sums.js';

const normals = (random: { normal(): number }, count: number) =>
  Float32Array.from({ length: count }, () => random.normal());

/** out[c] = start[c] + Σ_p parts[p, c] in float64. */
function reference(start: Float32Array | undefined, parts: Float32Array, columns: number): Float64Array {
  const sums = Float64Array.from({ length: columns }, (_, c) => start?.[c] ?? 0);
  parts.forEach((value, i) => (sums[i % columns]! += value));
  return sums;
}

describe('partial sums', () => {
  const runtime = useRuntime();

  // Parts come from a kernel; here they are copied to where it would write them.
  const fillParts = (array: GpuArray, values: Float32Array) => {
    const source = runtime().upload(values, [values.length]);
    runtime().copy(source, array.reshape([values.length]));
  };

  it('match float64 for many sums at once, in targets of their own and of one buffer, with every variant', async () => {
    const random = testRandom(5);
    for (const { name } of runnableVariants(runtime(), partialSumsVariants)) {
      runtime().forcedVariants.set('partial-sums', name);
      for (const unit of [1, 4]) {
        await runtime().scope(async () => {
          const sums = new PartialSums(runtime());
          const bank = runtime().empty([4096]);
          const expected: { target: GpuArray; values: Float64Array }[] = [];
          for (let i = 0; i < 6; i++) {
            const columns = unit * (1 + random.integer(90));
            const parts = 1 + random.integer(70);
            const accumulate = random.integer(2) === 1;
            const inBank = runtime().pool.region(bank.storage, 4 * 512 * i, 4 * 512);
            const targets = [runtime().empty([columns]), runtime().empty([columns])];
            if (i % 2) targets[0] = new GpuArray(inBank, 'f32', [columns]);
            const starts = targets.map(() => normals(random, columns));
            targets.forEach((target, t) => runtime().write(target, starts[t]!));
            const places = sums.add(targets, parts, accumulate);
            targets.forEach((target, t) => {
              const values = normals(random, parts * columns);
              fillParts(places[t]!, values);
              const start = accumulate ? starts[t] : undefined;
              expected.push({ target, values: reference(start, values, columns) });
            });
          }
          sums.flush();
          for (const { target, values } of expected) {
            const got = await runtime().read(target);
            got.forEach((value, c) => expect(Math.abs(value - values[c]!)).toBeLessThan(2e-5));
          }
        });
      }
    }
    runtime().forcedVariants.clear();
  });

  it('takes one dispatch for all targets of a buffer, and the same programs and tables the next time', async () => {
    await runtime().scope(async () => {
      const bank = runtime().empty([1024]);
      const pass = () => {
        const sums = new PartialSums(runtime());
        for (let i = 0; i < 4; i++) {
          const [parts] = sums.add([bank.slice(0, 100 * i, 100 * i + 100)], 3, false);
          fillParts(parts!, new Float32Array(300).fill(i));
        }
        const { dispatches } = runtime().counters;
        sums.flush();
        return runtime().counters.dispatches - dispatches;
      };
      expect(pass()).toBe(1);
      const { pipelinesCreated } = runtime().counters;
      expect(pass()).toBe(1);
      expect(runtime().counters.pipelinesCreated).toBe(pipelinesCreated);
      expect([...(await runtime().read(bank.slice(0, 0, 400)))]).toEqual(
        Array.from({ length: 400 }, (_, i) => 3 * Math.floor(i / 100)),
      );
    });
  });

  it('puts parts of a row in their places, and leaves what lies between', async () => {
    for (const unit of [1, 4]) {
      await runtime().scope(async () => {
        const bank = runtime().upload(new Float32Array(8 * unit).fill(1), [8 * unit]);
        const [first, last] = [bank.slice(0, 0, 2 * unit), bank.slice(0, 5 * unit, 8 * unit)];
        const sums = new PartialSums(runtime());
        const pieces = [
          { target: first, column: 0, accumulate: false },
          { target: last, column: 5 * unit, accumulate: true },
        ];
        const [rows] = sums.addRows([{ columns: 8 * unit, pieces }], 2);
        // Two rows, whose sum counts up from 10.
        fillParts(
          rows!,
          Float32Array.from({ length: 16 * unit }, (_, i) => (i < 8 * unit ? 10 : i - 8 * unit)),
        );
        expect([sums.awaits(first), sums.awaits(last)]).toEqual([true, true]);
        sums.flush();
        const expected = Array.from({ length: 8 * unit }, (_, i) =>
          i < 2 * unit ? i + 10 : i < 5 * unit ? 1 : i + 11,
        );
        expect([...(await runtime().read(bank))]).toEqual(expected);
      });
    }
  });

  it('keeps the order of two sums for one target', async () => {
    await runtime().scope(async () => {
      const target = runtime().upload(new Float32Array([100, 100]), [2]);
      const sums = new PartialSums(runtime());
      const add = (accumulate: boolean, value: number) =>
        fillParts(sums.add([target], 2, accumulate)[0]!, new Float32Array(4).fill(value));
      add(false, 1);
      expect(sums.awaits(target)).toBe(true);
      add(true, 10);
      sums.flush();
      expect(sums.awaits(target)).toBe(false);
      expect([...(await runtime().read(target))]).toEqual([22, 22]);
    });
  });

  it('begins anew where its memory is full, and gives it back', () => {
    runtime().scope(() => {
      const targets = [1, 1000].map((columns) => runtime().empty([columns]));
      const { liveBytes } = runtime().pool;
      const sums = new PartialSums(runtime());
      const { dispatches } = runtime().counters;
      sums.add([targets[0]!], 1, false);
      sums.add([targets[1]!], 5, false);
      expect(runtime().counters.dispatches - dispatches).toBe(1);
      sums.flush();
      expect(runtime().counters.dispatches - dispatches).toBe(2);
      expect(runtime().pool.liveBytes).toBe(liveBytes);
    });
  });

  it('refuses targets of different sizes', () => {
    runtime().scope(() => {
      const sums = new PartialSums(runtime());
      expect(() => sums.add([runtime().empty([4]), runtime().empty([5])], 2, false)).toThrow(
        /partial-sums: target 1 must be a contiguous f32 array of 4 elements, got f32\[5\]/,
      );
    });
  });
});
