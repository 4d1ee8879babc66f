import { ReleaseError } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { add, mul } from '../ops/arithmetic.js';
import { gelu } from '../ops/gelu.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { sum } from '../ops/reductions.js';
import { useEngine, values } from '../testing/test-engine.js';
import type { Engine } from './engine.js';
import type { StepTensors } from './recorded-step.js';
import type { Tensor } from './tensor.js';

const ROWS = 64;

function leaf(engine: Engine, shape: readonly number[], seed = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return engine.tensor(Float32Array.from(values(count, seed)), shape, {
    requiresGrad: true,
    name: `leaf ${seed}`,
  });
}

/** `depth` activations of 64 KiB, one after the other. */
function chain(x: Tensor, depth: number): Tensor {
  let y = x;
  for (let i = 0; i < depth; i++) y = gelu(y);
  return y;
}

describe('Engine', () => {
  const engine = useEngine();
  const pool = () => engine().runtime.pool;
  const ones = (size: number) => new Float32Array(size).fill(1);

  it('reads no tensor whose memory the walk back has given away', () =>
    engine().step(async () => {
      const hidden = gelu(leaf(engine(), [2, 3]));
      const loss = sum(mul(hidden, hidden));
      loss.backward();
      await expect(hidden.read()).rejects.toThrow('the backward pass has given its memory back');
      await expect(hidden.readIntegers()).rejects.toThrow('the backward pass has given its memory back');
      expect(Number.isFinite(await loss.item())).toBe(true);
    }));

  it('reads whole numbers one by one too, and names what reads several', () =>
    engine().step(async () => {
      const labels = engine().tensor(Int32Array.of(-7), []);
      expect(await labels.item()).toBe(-7);
      await expect(labels.read()).rejects.toThrow('use readIntegers()');
      expect(() => engine().tensor([1, 2] as unknown as Float32Array, [2])).toThrow(
        /type Array: give a Float32Array/,
      );
    }));

  it('returns activations to the pool while it walks back', () =>
    engine().step(() => {
      const depth = 12;
      const size = ROWS * 256;
      const x = leaf(engine(), [ROWS, 256]);
      const before = pool().liveBytes;
      const y = chain(x, depth);
      const forward = pool().liveBytes - before;
      expect(forward, 'all activations wait for the backward pass').toBeGreaterThanOrEqual(depth * size * 4);
      pool().resetPeak();
      y.backward({ cotangent: ones(size) });
      const extra = pool().peakBytes - before - forward;
      expect(extra, 'a gradient takes the place of an activation').toBeLessThanOrEqual(3 * size * 4);
      // The final result and the gradient of the leaf.
      expect(pool().liveBytes - before).toBeLessThanOrEqual(2 * size * 4 + 1024);
    }));

  it('keeps nothing for a backward pass in noGrad, and returns everything at the end of the step', async () => {
    const { liveBytes } = pool();
    await engine().step(async () => {
      const [x, w, b] = [leaf(engine(), [4, 8]), leaf(engine(), [8], 2), leaf(engine(), [8], 3)];
      const before = pool().liveBytes;
      const normed = engine().noGrad(() => {
        expect(engine().gradEnabled).toBe(false);
        return layerNorm(x, w, b);
      });
      expect(engine().gradEnabled).toBe(true);
      expect(normed.requiresGrad).toBe(false);
      expect(pool().liveBytes - before, 'the result alone').toBe(256);
      expect(() => normed.backward({ cotangent: ones(32) })).toThrow('does not depend on anything');
      const late = await engine().noGrad(async () => {
        await Promise.resolve();
        return gelu(x);
      });
      expect(late.requiresGrad).toBe(false);
      expect(engine().gradEnabled).toBe(true);
      expect(() =>
        engine().noGrad(() => {
          throw new Error('wrong turn');
        }),
      ).toThrow('wrong turn');
      expect(engine().gradEnabled).toBe(true);
    });
    expect(pool().liveBytes).toBe(liveBytes);
  });

  it('tidies up after every stage in noGrad, so that a chain needs the memory of one of them', () =>
    engine().step(async () => {
      const size = ROWS * 256 * 4;
      const x = leaf(engine(), [ROWS, 256]);
      const stages = (count: number) => {
        let y = gelu(x);
        for (let i = 0; i < count; i++)
          y = engine().stage([y], (before) => chain(before, 3), { consumes: true });
        return y;
      };
      const withGradients = await stages(4).read();
      const before = pool().liveBytes;
      pool().resetPeak();
      const y = engine().noGrad(() => stages(4));
      expect(pool().liveBytes - before, 'the result alone is left').toBe(size);
      expect(pool().peakBytes - before, 'one stage with its input').toBe(4 * size);
      expect(await y.read()).toEqual(withGradients);
    }));

  it('gives back after a stage neither what is kept, nor what belongs to others, nor what a backward pass needs', async () => {
    const { liveBytes } = pool();
    const kept = engine().runtime.keep(engine().runtime.upload(new Float32Array(ROWS).fill(2), [ROWS]));
    await engine().step(async () => {
      let inside: Tensor | undefined;
      const [input, result] = engine().noGrad(() => {
        const x = engine().keep(leaf(engine(), [ROWS]));
        const y = engine().stage(
          [x],
          (before) => {
            inside = engine().keep(gelu(before));
            return gelu(gelu(inside));
          },
          { consumes: true },
        );
        engine().stage([engine().output(kept, [], 'other')], (other) => add(other, y), { consumes: true });
        const same = engine().stage([y], (before) => before, { consumes: true });
        expect(same).toBe(y);
        return [x, y];
      });
      for (let i = 0; i < 6; i++) engine().empty([ROWS]);
      expect(await input!.read()).toEqual(Float32Array.from(values(ROWS, 1)));
      const again = gelu(input!);
      expect(await inside!.read()).toEqual(await again.read());
      expect(await result!.read()).toEqual(await gelu(gelu(again)).read());
      const x = leaf(engine(), [ROWS], 3);
      const loss = engine().stage([x], (before) => gelu(gelu(before)), { consumes: true });
      const gradients = loss.backward({ cotangent: ones(ROWS) });
      expect(await gradients.read(x)).toHaveLength(ROWS);
      for (const tensor of [input!, inside!]) engine().release(tensor);
    });
    expect(await engine().runtime.read(kept)).toEqual(new Float32Array(ROWS).fill(2));
    engine().runtime.release(kept);
    expect(pool().liveBytes).toBe(liveBytes);
  });

  it('refuses to return what the backward pass has given back, recorded or not, unless it is kept', async () => {
    const { liveBytes } = pool();
    const inputs = { x: { data: ones(ROWS), shape: [ROWS] } };
    const take = ({ x }: StepTensors<'x'>, pass: (product: Tensor) => Tensor) => {
      const product = pass(mul(x, leaf(engine(), [ROWS])));
      const loss = sum(gelu(product));
      loss.backward();
      return { loss, product };
    };
    const body = (given: StepTensors<'x'>) => take(given, (product) => product);
    for (const record of [false, true]) {
      await expect(engine().step(body, { inputs, record })).rejects.toThrow(
        /given back: pass it to keep\(\)/,
      );
    }
    engine().release(body);
    const { product } = await engine().step((given) => take(given, (made) => engine().keep(made)), {
      inputs,
    });
    await engine().step(() => undefined);
    expect(await product.read()).toEqual(Float32Array.from(values(ROWS, 1)));
    engine().release(product);
    expect(pool().liveBytes).toBe(liveBytes);
  });

  it('gives back a result once, and leaves what belongs to others', async () => {
    const { liveBytes } = pool();
    const y = await engine().step(() => gelu(engine().tensor(ones(ROWS), [ROWS])));
    engine().release(y);
    const live = engine().tensor(ones(ROWS), [ROWS]);
    await engine().step(() => gelu(live));
    expect(await live.read()).toEqual(ones(ROWS));
    engine().release(live);
    const table = engine().runtime.keep(engine().runtime.upload(ones(ROWS), [ROWS]));
    const shown = engine().output(table, [], 'table');
    engine().release(engine().keep(shown));
    expect(await engine().runtime.read(table)).toEqual(ones(ROWS));
    engine().runtime.release(table);
    await engine().step(() => undefined);
    expect(pool().liveBytes).toBe(liveBytes);
  });

  it('keeps nothing of the second run of a stage', async () => {
    const { liveBytes } = pool();
    const inside: Tensor[] = [];
    await engine().step(() => {
      const body = (before: Tensor) => {
        inside.push(engine().keep(gelu(before)));
        return gelu(inside.at(-1)!);
      };
      const y = engine().stage([leaf(engine(), [ROWS])], body, { recompute: true });
      y.backward({ cotangent: ones(ROWS) });
    });
    expect(inside).toHaveLength(2);
    engine().release(inside[0]!);
    expect(pool().liveBytes).toBe(liveBytes);
  });

  it('keeps a tensor beyond its step until it is released as often as it was kept', async () => {
    const { liveBytes } = pool();
    const kept = await engine().step(() => {
      const x = engine().keep(leaf(engine(), [ROWS]));
      engine().keep(engine().output(x.array.reshape([ROWS / 2, 2]), [], 'view'));
      gelu(x).backward({ cotangent: ones(ROWS) });
      return x;
    });
    await engine().step(() => void chain(leaf(engine(), [ROWS], 2), 4));
    engine().release(kept);
    expect(await kept.read()).toEqual(Float32Array.from(values(ROWS, 1)));
    engine().release(kept);
    expect(pool().liveBytes).toBe(liveBytes);
    expect(() => engine().release(kept)).toThrow(ReleaseError);
  });

  it('lets the tensors that a step returns be read until the next one, unless they are kept', async () => {
    const { liveBytes } = pool();
    const step = () =>
      engine().step(
        ({ x }) => {
          const y = gelu(x);
          return { y, parts: 2, both: [x] };
        },
        { inputs: { x: { data: Float32Array.from(values(ROWS, 5)), shape: [ROWS] } } },
      );
    const { y, parts } = await step();
    expect(parts).toBe(2);
    expect(pool().liveBytes - liveBytes, 'no tensor is looked for deeper').toBe(256);
    const first = await engine().keep(y).read();
    expect(await (await step()).y.read()).toEqual(first);
    await engine().step(() => undefined);
    expect(await y.read()).toEqual(first);
    engine().release(y);
    expect(pool().liveBytes).toBe(liveBytes);
  });

  it('records a step whose function it is given again, and gives its memory back', async () => {
    pool().trim();
    const { liveBytes, reservedBytes } = pool();
    let runs = 0;
    const body = ({ x }: StepTensors<'x'>) => {
      runs++;
      const middle = engine().keep(gelu(x));
      return { middle, y: engine().noGrad(() => engine().stage([middle], gelu, { consumes: true })) };
    };
    for (let i = 0; i < 4; i++) {
      const inputs = { x: { data: Float32Array.from(values(ROWS, i)), shape: [ROWS] } };
      const { middle, y } = await engine().step(body, { inputs, record: true });
      const seen = [await middle.read(), await y.read()];
      const plain = await engine().step(({ x }) => [gelu(x), gelu(gelu(x))], { inputs });
      expect(seen).toEqual(await Promise.all(plain.map((tensor) => tensor.read())));
    }
    expect([runs, engine().recordings]).toEqual([2, 1]);
    await engine().step(body, {
      inputs: { x: { data: new Float32Array(ROWS), shape: [ROWS] } },
      record: 'otherwise',
    });
    expect(runs, 'the text names what else it depends on').toBe(3);
    engine().release(body);
    await engine().step(() => undefined);
    pool().trim();
    expect([pool().liveBytes, pool().reservedBytes]).toEqual([liveBytes, reservedBytes]);
  });

  it('refuses to record functions that are made for each call', async () => {
    const made = Array.from({ length: 17 }, () => () => undefined);
    for (const body of made.slice(1)) await engine().step(body, { record: true });
    await expect(engine().step(made[0]!, { record: true })).rejects.toThrow('made outside of the loop');
    for (const body of made) engine().release(body);
  });

  it('returns to the memory it had when a step fails in its middle', async () => {
    const { liveBytes } = pool();
    const failing = engine().step(() => {
      const x = leaf(engine(), [4, 8]);
      const y = gelu(x);
      linear(y, leaf(engine(), [3, 7]));
    });
    await expect(failing).rejects.toThrow(/\[4, 8\].*\[3, 7\]/);
    expect(pool().liveBytes).toBe(liveBytes);
    const failingBackward = engine().step(() => {
      const y = gelu(leaf(engine(), [4, 8]));
      engine().record({
        name: 'bad',
        inputs: [y],
        outputs: [y],
        saved: [],
        backward: () => {
          throw new Error('wrong turn');
        },
      });
      y.backward({ cotangent: ones(32) });
    });
    await expect(failingBackward).rejects.toThrow('wrong turn');
    expect(pool().liveBytes).toBe(liveBytes);
    const gradient = await engine().step(async () => {
      const x = leaf(engine(), [2]);
      return (await add(x, x)
        .backward({ cotangent: ones(2) })
        .read(x))!;
    });
    expect([...gradient], 'nothing of the failed tape is left').toEqual([2, 2]);
  });

  it('leaves a result readable after backward when it is kept, or is the last one', () =>
    engine().step(async () => {
      const x = leaf(engine(), [ROWS]);
      const middle = engine().keep(gelu(x));
      const last = gelu(middle);
      const [expectedMiddle, expectedLast] = [await middle.read(), await last.read()];
      last.backward({ cotangent: ones(ROWS) });
      for (let i = 0; i < 4; i++) engine().empty([ROWS]);
      expect(await middle.read()).toEqual(expectedMiddle);
      engine().release(middle);
      expect(await last.read()).toEqual(expectedLast);
    }));

  it('skips branches that the loss does not depend on, and frees them', () =>
    engine().step(async () => {
      const [x, other] = [leaf(engine(), [4]), leaf(engine(), [4], 2)];
      const y = add(x, x);
      const before = pool().liveBytes;
      gelu(gelu(other));
      const gradients = y.backward({ cotangent: Float32Array.of(1, 2, 3, 4) });
      expect([...(await gradients.read(x))!]).toEqual([2, 4, 6, 8]);
      expect(gradients.get(other)).toBeUndefined();
      expect(await gradients.read(other)).toBeUndefined();
      expect(() => gradients.of(other)).toThrow('no gradient has reached Tensor leaf 2');
      // The end of the branch and the gradient of x.
      expect(pool().liveBytes - before).toBeLessThanOrEqual(2 * 256);
    }));

  it('scales the gradient of a loss', () =>
    engine().step(async () => {
      const x = leaf(engine(), [1]);
      const gradients = add(x, x).backward({ scale: 0.25 });
      expect([...(await gradients.read(x))!]).toEqual([0.5]);
    }));

  it('refuses a loss of several elements, and a tape that is used up', () =>
    engine().step(() => {
      const x = leaf(engine(), [2]);
      const y = add(x, x);
      expect(() => y.backward()).toThrow('a loss of one element, got Tensor add f32[2]');
      y.backward({ cotangent: ones(2) });
      expect(() => y.backward({ cotangent: ones(2) })).toThrow('uses the tape up');
      expect(() => add(x, x).backward({ cotangent: ones(3) })).toThrow('12 bytes do not fill f32[2]');
    }));

  it('gives a step inside a step a tape of its own', () =>
    engine().step(async () => {
      const x = leaf(engine(), [2]);
      const y = add(x, x);
      await engine().step(() => {
        const inner = leaf(engine(), [2], 5);
        gelu(inner).backward({ cotangent: ones(2) });
      });
      const gradients = y.backward({ cotangent: ones(2) });
      expect([...(await gradients.read(x))!]).toEqual([2, 2]);
    }));
});

describe('Tensor', () => {
  const engine = useEngine();

  it('knows its extents and reads its values', () =>
    engine().step(async () => {
      const x = engine().tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], { name: 'clip' });
      expect([x.extent(0), x.extent(-1), x.dtype, String(x)]).toEqual([2, 3, 'f32', 'Tensor clip f32[2, 3]']);
      expect(() => x.extent(2)).toThrow('[2, 3] has no axis 2');
      expect([...(await x.read())]).toEqual([1, 2, 3, 4, 5, 6]);
      await expect(x.item()).rejects.toThrow('item() needs one element, this tensor is f32[2, 3]');
      expect(x.requiresGrad).toBe(false);
      expect(await engine().tensor(Float32Array.of(7), [1]).item()).toBe(7);
    }));
});
