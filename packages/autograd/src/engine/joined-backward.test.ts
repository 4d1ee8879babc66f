import { Runtime } from '@tubelet/kernels';
import { describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { layerNorms } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { join, split } from '../ops/views.js';
import { ParameterStore } from '../parameters/parameter-store.js';
import type { Tensor } from './tensor.js';
import { useEngine, values } from '../testing/test-engine.js';

// Some rows have weights of their own: enough of both for sums over them to be split.
const FIRST_ROWS = 4200;
const ROWS = 2 * FIRST_ROWS;
const COLUMNS = 8;
const HIDDEN = 12;
const SCALES = [2, 0, 0.5];

const shapes = {
  'first.norm.weight': [COLUMNS],
  'first.norm.bias': [COLUMNS],
  'first.weight': [COLUMNS, COLUMNS],
  'first.bias': [COLUMNS],
  'rest.norm.weight': [COLUMNS],
  'rest.norm.bias': [COLUMNS],
  'rest.weight': [COLUMNS, COLUMNS],
  'rest.bias': [COLUMNS],
  'proj.weight': [COLUMNS, COLUMNS],
  'proj.bias': [COLUMNS],
  'fc1.weight': [HIDDEN, COLUMNS],
  'fc1.bias': [HIDDEN],
  'fc2.weight': [COLUMNS, HIDDEN],
  'fc2.bias': [COLUMNS],
  'last.weight': [COLUMNS, COLUMNS],
  'last.bias': [COLUMNS],
};

/** All gradients of a block whose first rows have norms and projections of their own, with factors of rows. */
async function gradientsOf(engine: Engine): Promise<Float32Array[]> {
  const { runtime } = engine;
  const store = new ParameterStore(
    engine,
    Object.entries(shapes).map(([name, shape]) => ({ name, shape })),
  );
  let seed = 3;
  for (const parameter of store.parameters.values()) {
    parameter.write(Float32Array.from(values(parameter.array.size, seed++), (value) => 0.3 * value));
  }
  const parameter = (name: keyof typeof shapes) => store.get(name);
  const read = await engine.step(async () => {
    const data = Float32Array.from(values(ROWS * COLUMNS));
    const x = engine.tensor(data, [ROWS, COLUMNS], { requiresGrad: true });
    const scale = runtime.upload(Float32Array.from(SCALES), [SCALES.length]);
    const rowScaling = { scale, rowsPerScale: FIRST_ROWS / SCALES.length };
    const [first, rest] = split(x, 0, [FIRST_ROWS, ROWS - FIRST_ROWS]) as [Tensor, Tensor];
    const [firstNormed, restNormed] = layerNorms([
      { x: first, weight: parameter('first.norm.weight'), bias: parameter('first.norm.bias') },
      { x: rest, weight: parameter('rest.norm.weight'), bias: parameter('rest.norm.bias') },
    ]) as [Tensor, Tensor];
    const a = linear(firstNormed, parameter('first.weight'), { bias: parameter('first.bias') });
    const b = linear(restNormed, parameter('rest.weight'), { bias: parameter('rest.bias') });
    const whole = engine.empty([ROWS, COLUMNS]);
    const weight = parameter('proj.weight');
    const project = (x: Tensor, residual: Tensor, from: number) =>
      linear(x, weight, {
        ...{ bias: parameter('proj.bias'), residual, rowScaling },
        into: whole.slice(0, from, from + FIRST_ROWS),
      });
    const mixed = join(whole, [project(a, first, 0), project(b, rest, FIRST_ROWS)]);
    const hidden = linear(mixed, parameter('fc1.weight'), { bias: parameter('fc1.bias') });
    const mapped = linear(hidden, parameter('fc2.weight'), { bias: parameter('fc2.bias'), residual: mixed });
    const y = linear(mapped, parameter('last.weight'), { bias: parameter('last.bias') });
    const gradients = y.backward({ cotangent: Float32Array.from(values(ROWS * COLUMNS, 2)) });
    return [
      (await gradients.read(x))!,
      ...(await Promise.all([...store.parameters.values()].map(({ gradient }) => runtime.read(gradient)))),
    ];
  });
  store.release();
  return read;
}

describe('a backward pass whose kernels share dispatches', () => {
  const engine = useEngine();

  /** The device of the tests, taken for a GPU. */
  function likeGpu(joinsKernels: boolean): Engine {
    const { device, adapter } = engine().runtime;
    const runtime = new Runtime(device, { ...adapter, isSoftware: false });
    runtime.forcedVariants.set('matmul', 'tiled');
    runtime.joinsKernels = joinsKernels;
    return new Engine(runtime);
  }

  it('makes the gradients that it makes apart, to the bit, and those of other kernels nearly', async () => {
    const [apart, joined] = [likeGpu(false), likeGpu(true)];
    const [expected, got] = [await gradientsOf(apart), await gradientsOf(joined)];
    const { dispatches } = joined.runtime.counters;
    expect(dispatches).toBeLessThan(apart.runtime.counters.dispatches - 6);
    expect(got).toEqual(expected);
    const reference = await gradientsOf(engine());
    got.forEach((gradient, i) => {
      const size = Math.max(...reference[i]!.map(Math.abs));
      expect(size).toBeGreaterThan(0);
      const errors = gradient.map((value, j) => Math.abs(value - reference[i]![j]!));
      expect(Math.max(...errors)).toBeLessThan(1e-4 * size);
    });
  });
});
