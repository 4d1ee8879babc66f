import { AdamW, Engine, linear, meanSquareError, ParameterStore } from '@tubelet/autograd';
import { openNodeRuntime } from '@tubelet/kernels/node';

const engine = new Engine(await openNodeRuntime()); // in a browser: await openRuntime(navigator.gpu)
const store = new ParameterStore(engine, [
  { name: 'hidden.weight', shape: [32, 1] },
  { name: 'hidden.bias', shape: [32] },
  { name: 'out.weight', shape: [2, 32] },
]);
store.parameters.forEach((p) =>
  p.write(Float32Array.from({ length: p.array.size }, () => Math.random() * 2 - 1)),
);
const adamw = new AdamW(store, { groups: [{ parameters: [...store.parameters.keys()], weightDecay: 0 }] });

const x = Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1);
const y = Float32Array.from({ length: 128 }, (_, i) => (i % 2 ? Math.cos : Math.sin)(3 * x[i >> 1]!));
for (let step = 1; step <= 300; step++) {
  await engine.step(async () => {
    const [w, bias] = [store.get('hidden.weight'), store.get('hidden.bias')];
    const hidden = linear(engine.tensor(x, [64, 1]), w, { bias, activation: 'gelu' });
    const { loss } = meanSquareError(
      linear(hidden, store.get('out.weight')),
      engine.tensor(y, [64, 2]).array,
    );
    engine.backward(loss);
    adamw.step({ learningRate: 0.02 });
    if (step % 100 === 0) console.log(`step ${step}: loss ${await loss.item()}`);
  });
}
