import type { Engine } from '../engine/engine.js';
import type { StepInput, StepTensors } from '../engine/recorded-step.js';
import type { Tensor } from '../engine/tensor.js';
import { attention } from '../ops/attention.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { twoPartSquareError } from '../ops/losses.js';
import { mlp } from '../ops/mlp.js';
import { copyInto, join, reshape, split } from '../ops/views.js';
import { ParameterStore } from '../parameters/parameter-store.js';
import { AdamW } from '../training/adamw.js';
import type { LossScale } from '../training/loss-scale.js';
import { values } from './test-engine.js';

export const tinySize = { batch: 2, tokens: 5, columns: 8, hidden: 12 };

const { batch, tokens, columns, hidden } = tinySize;

/** A transformer of one block with all that training has: packs, views, residuals, an unused parameter. */
export class TinyTransformer {
  readonly store: ParameterStore;
  readonly optimiser: AdamW;

  constructor(
    readonly engine: Engine,
    seed: number,
    private readonly options: { readonly lossScale?: LossScale | undefined } = {},
  ) {
    const matrix = (name: string, ...shape: number[]) => ({ name, shape });
    const bias = (name: string) => matrix(name, columns);
    this.store = new ParameterStore(engine, [
      matrix('norm.weight', columns),
      bias('norm.bias'),
      matrix('qkv.weight', 3 * columns, columns),
      { pack: 'qkv.bias', shape: [3 * columns], parts: [bias('q.bias'), { gap: columns }, bias('v.bias')] },
      matrix('proj.weight', columns, columns),
      matrix('fc1.weight', hidden, columns),
      matrix('fc1.bias', hidden),
      matrix('fc2.weight', columns, hidden),
      bias('fc2.bias'),
      { ...bias('unused'), decays: true },
    ]);
    let index = seed;
    for (const parameter of this.store.parameters.values()) {
      parameter.write(Float32Array.from(values(parameter.array.size, ++index), (value) => 0.3 * value));
    }
    this.optimiser = new AdamW(this.store, { weightDecay: 0.05, ...options });
  }

  /** The batch of this number. */
  data(number: number, clips = batch): { readonly x: StepInput; readonly target: StepInput } {
    const size = clips * tokens * columns;
    return {
      x: { data: Float32Array.from(values(size, 100 + number)), shape: [clips, tokens, columns] },
      target: { data: Float32Array.from(values(size, 200)), shape: [clips * tokens, columns] },
    };
  }

  /** The loss of a batch on the GPU. */
  loss({ x, target }: StepTensors<'x' | 'target'>): Tensor {
    const { engine, store } = this;
    const get = (name: string) => store.get(name);
    const normed = layerNorm(x, get('norm.weight'), get('norm.bias'));
    const qkv = linear(normed, get('qkv.weight'), { bias: store.pack('qkv.bias') });
    const mixed = linear(attention({ qkv, heads: 2 }), get('proj.weight'), { residual: x });
    const [first, others] = split(mixed, 1, [1, tokens - 1]) as [Tensor, Tensor];
    const whole = engine.empty(mixed.shape);
    const joined = join(whole, [
      copyInto(first, whole.slice(1, 0, 1)),
      linear(others, get('proj.weight'), { residual: others, into: whole.slice(1, 1, tokens) }),
    ]);
    const y = mlp({
      x: layerNorm(joined, get('norm.weight'), get('norm.bias')),
      fc1Weight: get('fc1.weight'),
      fc1Bias: get('fc1.bias'),
      fc2Weight: get('fc2.weight'),
      fc2Bias: get('fc2.bias'),
      residual: joined,
    });
    return twoPartSquareError(reshape(y, target.shape), target.array).loss;
  }

  /** One step on the batch of this number; its loss. */
  async step(number: number): Promise<number> {
    const { engine } = this;
    return engine.step(
      (batch) => {
        const loss = this.loss(batch);
        loss.backward(this.options);
        this.optimiser.step({ learningRate: 0.01 });
        return loss.item();
      },
      { inputs: this.data(number) },
    );
  }

  async weights(): Promise<Float32Array> {
    return this.engine.runtime.read(this.store.banks[0]!.values);
  }

  release(): void {
    this.optimiser.release();
    this.store.release();
  }
}
