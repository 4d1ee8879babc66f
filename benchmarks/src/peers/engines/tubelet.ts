import { AdamW, Engine as Autograd, twoPartSquareError, Tensor } from '@tubelet/autograd';
import { zeros } from '@tubelet/autograd/layers';
import { attention, layerNorm, matmul, type GpuArray, type Runtime } from '@tubelet/kernels';
import { openNodeRuntime } from '@tubelet/kernels/node';
import { lgiBlock } from '@tubelet/mae-dfer';
import { describeAdapter } from '../../shared/adapter.js';
import { STEP, type BlockCase, type CaseShape, type GptCase, type HostTensors } from '../cases.js';
import {
  gradientName,
  trainedNames,
  update,
  updateName,
  type Engine,
  type Outputs,
  type Prepared,
} from '../engine.js';
import { transpose } from '../transpose.js';
import { GPT_METHODS, prepareGpt } from './tubelet-gpt.js';

const METHOD = 'own kernels';

type KernelCase = Exclude<CaseShape, BlockCase | GptCase>;

/** This project, on the device that its programs use. */
export async function openTubelet(version: string): Promise<Engine> {
  const runtime = await openNodeRuntime();
  return {
    version,
    adapter: describeAdapter(runtime.adapter),
    methods: ({ kind }) => (kind === 'gpt' ? GPT_METHODS : [METHOD]),
    prepare: async (shape, inputs, method) => {
      if (shape.kind === 'gpt') return prepareGpt(runtime, shape, inputs, method);
      if (shape.kind === 'block') return prepareBlock(runtime, shape, inputs);
      return prepareKernels(runtime, shape, inputs);
    },
  };
}

/** Kernels one by one through their dispatchers, as an eager program calls them. */
function prepareKernels(runtime: Runtime, shape: KernelCase, inputs: HostTensors): Prepared {
  const kept: GpuArray[] = [];
  const keep = (array: GpuArray) => {
    kept.push(runtime.keep(array));
    return array;
  };
  const at = (name: string) => {
    const { data, shape: extents } = inputs[name]!;
    return keep(runtime.upload(data, extents));
  };
  // The model keeps its weights as [outputs, inputs].
  const weight = (name: string) => {
    const { data, shape: extents } = inputs[name]!;
    const [rows, columns] = extents as [number, number];
    return keep(runtime.upload(transpose(data, rows, columns), [columns, rows]));
  };
  const empty = (...extents: number[]) => keep(runtime.empty(extents));
  const { run, out } = kernels(runtime, shape, at, weight, empty);
  return {
    run,
    finish: () => runtime.synchronize(),
    read: async () => ({ y: await runtime.read(out) }),
    release: () => kept.forEach((array) => runtime.release(array)),
  };
}

function kernels(
  runtime: Runtime,
  shape: KernelCase,
  at: (name: string) => GpuArray,
  weight: (name: string) => GpuArray,
  empty: (...extents: number[]) => GpuArray,
): { readonly run: () => void; readonly out: GpuArray } {
  switch (shape.kind) {
    case 'matmul': {
      const operands = { a: at('a'), b: at('b'), out: empty(shape.m, shape.n) };
      return { run: () => matmul(runtime, operands), out: operands.out };
    }
    case 'linear-gelu': {
      const out = empty(shape.rows, shape.outputs);
      const up = { a: at('x'), b: weight('weight'), transposeB: true, bias: at('bias'), out };
      return { run: () => matmul(runtime, { ...up, activation: 'gelu' }), out };
    }
    case 'mlp': {
      const x = at('x');
      const hidden = empty(shape.rows, shape.hidden);
      const out = empty(shape.rows, shape.width);
      const up = { a: x, b: weight('fc1Weight'), transposeB: true, bias: at('fc1Bias'), out: hidden };
      const down = { a: hidden, b: weight('fc2Weight'), transposeB: true, bias: at('fc2Bias'), out };
      const run = () => {
        matmul(runtime, { ...up, activation: 'gelu' });
        matmul(runtime, { ...down, residual: x });
      };
      return { run, out };
    }
    case 'layer-norm': {
      const { rows, width } = shape;
      const out = empty(rows, width);
      const arrays = { x: at('x'), weight: at('weight'), bias: at('bias'), out };
      const statistics = { mean: empty(rows), rstd: empty(rows) };
      return { run: () => layerNorm(runtime, { ...arrays, ...statistics }), out };
    }
    case 'attention': {
      const { groups, rows, heads, headDimension } = shape;
      const out = empty(groups, rows, heads * headDimension);
      const operands = { q: at('q'), k: at('k'), v: at('v'), out, heads };
      // Without statistics the kernel takes a scratch array, which the scope returns.
      return { run: () => runtime.scope(() => attention(runtime, operands)), out };
    }
  }
}

/** The arrays of the parameter store for the names of `blockParameters`; matrices are [outputs, inputs] there. */
function storeNames(): Readonly<Record<string, string>> {
  const steps = { local: 'first', interRegion: 'second', localGlobal: 'third' } as const;
  const names: Record<string, string> = {};
  for (const [step, prefix] of Object.entries(steps)) {
    const attentionName = `${prefix}_attn`;
    names[`${step}.Norm`] = `${attentionName}_norm0`;
    names[`${step}.contextNorm`] = `${attentionName}_norm1`;
    names[`${step}.projection`] = `${attentionName}.proj`;
    names[`${step}.qkv`] = `${attentionName}.qkv`;
    names[`${step}.q`] = `${attentionName}.q.weight`;
    names[`${step}.kv`] = `${attentionName}.kv.weight`;
    names[`${step}.qBias`] = `${attentionName}.q_bias`;
    names[`${step}.vBias`] = `${attentionName}.v_bias`;
  }
  return {
    ...names,
    'mlp.Norm': 'norm2',
    'mlp.fc1': 'mlp.fc1',
    'mlp.fc2': 'mlp.fc2',
  };
}

/** The part of a training step that programs run: recorded once and replayed. */
function prepareBlock(runtime: Runtime, shape: BlockCase, inputs: HostTensors): Prepared {
  const engine = new Autograd(runtime);
  const { block, parameter } = boundBlock(engine, shape);
  const { store } = block;
  const kept = (name: string) => {
    const { data, shape: extents } = inputs[name]!;
    return runtime.keep(runtime.upload(data, [1, ...extents], 'f32', name));
  };
  const x = kept('x');
  const target = kept('target');
  const trained = trainedNames(inputs);
  for (const name of trained) {
    const { data, shape: extents } = inputs[name]!;
    runtime.write(parameter(name).array, extents.length === 2 ? turned(data, extents) : data);
  }
  const forward = () => engine.noGrad(() => block(new Tensor(engine, x))).array;
  const backward = () => {
    const leaf = new Tensor(engine, x, true, 'x');
    const { loss } = twoPartSquareError(block(leaf), target);
    return loss.backward().of(leaf);
  };
  const { weightDecay, beta1, beta2, epsilon, learningRate } = STEP;
  // The others decay biases too.
  const groups = [{ parameters: block.parameters(), weightDecay }];
  const optimiser =
    shape.part === 'step' ? new AdamW(store, { groups, betas: [beta1, beta2], epsilon }) : undefined;
  let result = x;
  const run = async () => {
    result = await engine.step(shape.part === 'forward' ? forward : backward, { record: true });
    if (shape.part === 'forward') return;
    if (optimiser) optimiser.step({ learningRate });
    else store.zeroGradients();
  };
  const readMatrix = async (array: GpuArray, name: string): Promise<Float32Array> => {
    const data = await runtime.read(array);
    const extents = inputs[name]!.shape;
    return extents.length === 2 ? transpose(data, extents[1]!, extents[0]!) : data;
  };
  const read = async (): Promise<Outputs> => {
    if (shape.part === 'forward') return { y: await runtime.read(result) };
    const outputs: Record<string, Float32Array> = {};
    if (shape.part === 'forward+backward') outputs[gradientName('x')] = await runtime.read(result);
    for (const name of trained) {
      const { array, gradient } = parameter(name);
      if (shape.part === 'step') {
        const after = await readMatrix(array, name);
        outputs[updateName(name)] = update(inputs[name]!.data, after, learningRate);
      } else {
        outputs[gradientName(name)] = await readMatrix(gradient, name);
      }
    }
    return outputs;
  };
  return {
    run,
    finish: () => runtime.synchronize(),
    read,
    release() {
      for (const body of [forward, backward]) engine.release(body);
      optimiser?.release();
      store.release();
      runtime.release(x);
      runtime.release(target);
    },
  };
}

/** One block of the model, all zero, and where each of `blockParameters` is in it. */
function boundBlock(engine: Autograd, { width, heads }: BlockCase) {
  const config = { dim: width, heads, interRegion: true, localGlobal: true };
  const block = lgiBlock(config, zeros).bind(engine);
  const { store } = block;
  const names = storeNames();
  const parameter = (name: string) => {
    const ending = /\.(weight|bias)$/.exec(name)?.[0] ?? '';
    const stored = names[name.slice(0, name.length - ending.length)];
    if (stored === undefined) throw new RangeError(`the model has no parameter for "${name}"`);
    return name.endsWith('.qkv') ? store.pack(stored) : store.get(stored + ending);
  };
  return { block, parameter };
}

function turned(data: Float32Array, shape: readonly number[]): Float32Array {
  return transpose(data, shape[0]!, shape[1]!);
}
