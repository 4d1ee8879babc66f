import { AdamW, Engine, linearLayer, linearSpecs, meanSquareError, ParameterStore } from '@tubelet/autograd';
import { openNodeRuntime } from '@tubelet/kernels/node';

const engine = new Engine(await openNodeRuntime()); // in a browser: await openRuntime(navigator.gpu)
const store = new ParameterStore(engine, [...linearSpecs('hidden', 32, 1), ...linearSpecs('out', 1, 32)]);
for (const p of store.parameters.values()) {
  p.write(Float32Array.from({ length: p.array.size }, () => Math.random() * 2 - 1));
}
const adamw = new AdamW(store, { groups: [{ parameters: [...store.parameters.keys()], weightDecay: 0 }] });

const x = Float32Array.from({ length: 64 }, (_, i) => i / 32 - 1);
const y = x.map((value) => Math.sin(3 * value));
for (let step = 1; step <= 300; step++) {
  await engine.step(async () => {
    const hidden = linearLayer(store, 'hidden', engine.tensor(x, [64, 1]), { activation: 'gelu' });
    const loss = meanSquareError(linearLayer(store, 'out', hidden), engine.tensor(y, [64, 1]));
    engine.backward(loss);
    adamw.step({ learningRate: 0.02 });
    if (step % 100 === 0) console.log(`step ${step}: loss ${await loss.item()}`);
  });
}
