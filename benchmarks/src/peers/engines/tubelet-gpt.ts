import { add, AdamW, crossEntropy, Engine, Tensor } from '@tubelet/autograd';
import {
  embedding,
  layer,
  layerNorm,
  linear,
  mlp,
  parameter,
  selfAttention,
  sequential,
  zeros,
} from '@tubelet/autograd/layers';
import type { Runtime } from '@tubelet/kernels';
import { LAYER_NORM_EPSILON } from '@tubelet/mae-dfer';
import { STEP, type GptCase, type HostTensors } from '../cases.js';
import { trainedNames, update, updateName, type Outputs, type Prepared } from '../engine.js';
import { transpose } from '../transpose.js';

/** A step as the example has it, and one that is recorded, as a training program's. */
export const GPT_METHODS = ['recorded step', 'as the example'] as const;

/** The model of `examples/src/gpt.ts`; norms take the ε that the other engines take here. */
function gptOf({ context, letters, width, heads, depth }: GptCase) {
  const norm = () => layerNorm(width, { epsilon: LAYER_NORM_EPSILON });
  const block = () => {
    const [norm1, norm2] = [norm(), norm()];
    const attention = selfAttention(width, heads, { causal: true });
    const feedForward = mlp(width, 4 * width);
    return layer({ norm1, attention, norm2, feedForward }, (x: Tensor) => {
      const mixed = add(x, attention(norm1(x)));
      return feedForward(norm2(mixed), { residual: mixed });
    });
  };
  const embed = embedding(letters, width);
  const places = parameter([context, width], zeros);
  const blocks = sequential(...Array.from({ length: depth }, block));
  const [last, head] = [norm(), linear(width, letters)];
  return layer({ embed, places, blocks, norm: last, head }, (ids: Tensor) =>
    head(last(blocks(add(embed(ids), places.tensor)))),
  );
}

/** Linear layers keep their matrices as [outputs, inputs]. */
const isTurned = (name: string, extents: readonly number[]) =>
  extents.length === 2 && name !== 'embed.weight' && name !== 'places';

/** A training step of the GPT on one batch. */
export function prepareGpt(runtime: Runtime, shape: GptCase, inputs: HostTensors, method: string): Prepared {
  const engine = new Engine(runtime);
  const gpt = gptOf(shape).bind(engine);
  const { store } = gpt;
  const letters = (name: string) => {
    const { data, shape: extents } = inputs[name]!;
    return runtime.keep(runtime.upload(Int32Array.from(data), extents, 'i32', name));
  };
  const [ids, next] = [letters('x'), letters('target')];
  const trained = trainedNames(inputs);
  for (const name of trained) {
    const { data, shape: extents } = inputs[name]!;
    const [rows, columns] = extents as [number, number];
    store.get(name).write(isTurned(name, extents) ? transpose(data, rows, columns) : data);
  }
  const { weightDecay, beta1, beta2, epsilon, learningRate } = STEP;
  // The others decay biases and norms too.
  const groups = [{ parameters: gpt.parameters(), weightDecay }];
  const optimiser = new AdamW(store, { groups, betas: [beta1, beta2], epsilon, learningRate });
  const forwardAndBackward = () => {
    const loss = crossEntropy(gpt(new Tensor(engine, ids)), new Tensor(engine, next));
    loss.backward();
    return loss;
  };
  const isRecorded = method === GPT_METHODS[0];
  const asTheExample = () =>
    engine.step(() => {
      const loss = forwardAndBackward();
      optimiser.step();
      return loss;
    });
  return {
    async run() {
      if (!isRecorded) return void (await asTheExample());
      await engine.step(forwardAndBackward, { record: true });
      optimiser.step();
    },
    finish: () => runtime.synchronize(),
    async read() {
      const outputs: Record<string, Float32Array> = {};
      for (const name of trained) {
        const { data: before, shape: extents } = inputs[name]!;
        const [rows, columns] = extents as [number, number];
        const after = await runtime.read(store.get(name).array);
        const turned = isTurned(name, extents) ? transpose(after, columns, rows) : after;
        outputs[updateName(name)] = update(before, turned, learningRate);
      }
      return outputs satisfies Outputs;
    },
    release() {
      if (isRecorded) engine.release(forwardAndBackward);
      optimiser.release();
      store.release();
      for (const array of [ids, next]) runtime.release(array);
    },
  };
}
