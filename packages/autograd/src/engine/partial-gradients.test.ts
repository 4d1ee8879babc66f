import { describe, expect, it } from 'vitest';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { ParameterStore } from '../parameters/parameter-store.js';
import { useEngine, values } from '../testing/test-engine.js';
import type { Tensor } from './tensor.js';

const ROWS = 12;
const COLUMNS = 8;

/** Parameters and what they are multiplied with, by name. */
type Get = (name: string) => Tensor;

// Gradients of layer norms wait in parts: whoever else adds to them or reads them must see them whole.
describe('gradients of parameters that wait in parts', () => {
  const engine = useEngine();
  const shapes = { scale: [COLUMNS], shift: [COLUMNS], weight: [COLUMNS, COLUMNS] };
  const numbers = (name: string) => {
    const count = name === 'weight' ? COLUMNS * COLUMNS : COLUMNS;
    return Float32Array.from(values(count, name.length));
  };
  const x = () => engine().tensor(Float32Array.from(values(ROWS * COLUMNS, 9)), [ROWS, COLUMNS]);
  const cotangent = Float32Array.from(values(ROWS * COLUMNS, 4));

  async function ofParameters(forward: (x: Tensor, get: Get) => Tensor): Promise<Float32Array[]> {
    const specs = Object.entries(shapes).map(([name, shape]) => ({ name, shape }));
    const store = new ParameterStore(engine(), specs);
    for (const { name } of specs) store.get(name).write(numbers(name));
    const gradients = await engine().step(async () => {
      forward(x(), (name) => store.get(name)).backward({ cotangent });
      const { runtime } = engine();
      const seen: Float32Array[] = [];
      for (const { name } of specs) seen.push(await runtime.read(store.get(name).gradient));
      return seen;
    });
    store.release();
    return gradients;
  }

  /** The same with tensors that are not parameters, whose gradients never wait. */
  async function ofTensors(forward: (x: Tensor, get: Get) => Tensor): Promise<Float32Array[]> {
    return engine().step(async () => {
      const tensors = new Map(
        Object.entries(shapes).map(([name, shape]) => [
          name,
          engine().tensor(numbers(name), shape, { requiresGrad: true, name }),
        ]),
      );
      const gradients = forward(x(), (name) => tensors.get(name)!).backward({ cotangent });
      const seen: Float32Array[] = [];
      for (const tensor of tensors.values()) seen.push((await gradients.read(tensor))!);
      return seen;
    });
  }

  const normed = (x: Tensor, get: Get) => layerNorm(x, get('scale'), get('shift'));
  const ways: Record<string, (x: Tensor, get: Get) => Tensor> = {
    'of a norm that is used three times': (x, get) =>
      normed(normed(linear(normed(x, get), get('weight')), get), get),
    'of a norm whose parameters others use before it': (x, get) => {
      const shifted = linear(x, get('weight'), { bias: get('shift') });
      return normed(linear(shifted, get('weight'), { bias: get('scale') }), get);
    },
  };
  for (const [name, forward] of Object.entries(ways)) {
    it(name, async () => {
      const [waiting, plain] = [await ofParameters(forward), await ofTensors(forward)];
      waiting.forEach((gradient, i) =>
        gradient.forEach((value, c) => expect(value).toBeCloseTo(plain[i]![c]!, 4)),
      );
    });
  }

  it('are added up in one dispatch for all norms of a model', async () => {
    const layers = Array.from({ length: 5 }, (_, i) => [`norm${i}.scale`, `norm${i}.shift`] as const);
    const store = new ParameterStore(
      engine(),
      layers.flat().map((name) => ({ name, shape: [COLUMNS] })),
    );
    await engine().step(async () => {
      let y = x();
      for (const [scale, shift] of layers) y = layerNorm(y, store.get(scale), store.get(shift));
      const { counters } = engine().runtime;
      const { dispatches } = counters;
      y.backward({ cotangent });
      expect(counters.dispatches - dispatches).toBe(layers.length + 1);
      await engine().runtime.synchronize();
    });
    store.release();
  });
});
