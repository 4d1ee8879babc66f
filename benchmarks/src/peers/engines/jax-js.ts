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
import type { LoadPeer } from '../installation.js';
import { provideNavigatorGpu } from './browser-gpu.js';
import type { Jax, JaxArray } from './jax-api.js';
import { gptLoss } from './jax-gpt.js';
import { gelu, layerNorm, linear, type At } from './jax-layers.js';

type TrainedCase = BlockCase | GptCase;

/** jax-js on WebGPU; every case is one function under `jit`. */
export async function openJaxJs(load: LoadPeer, version: string): Promise<Engine> {
  const adapter = await provideNavigatorGpu();
  // jax-js uses iterator helpers, which Node has had since version 22.
  if (!('Iterator' in globalThis)) await load('core-js/actual/iterator/index.js');
  const jax = await load<Jax>('@jax-js/jax');
  const devices = await jax.init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js does not start its WebGPU backend');
  jax.defaultDevice('webgpu');
  return {
    version,
    adapter,
    methods: () => ['jit'],
    prepare: async (shape, inputs) => {
      if (shape.kind === 'block' && shape.part === 'forward+backward') {
        return prepareGradients(jax, shape, inputs);
      }
      if (shape.kind === 'gpt' || (shape.kind === 'block' && shape.part === 'step')) {
        return prepareStep(jax, shape, inputs);
      }
      return prepareForward(jax, shape, inputs);
    },
  };
}

/** Runs of a function under `jit` on the same arrays. */
class JitRuns {
  results: JaxArray[] = [];
  private submitted: Promise<unknown>[] = [];

  constructor(
    private readonly jax: Jax,
    private readonly f: (...inputs: JaxArray[]) => JaxArray[],
  ) {}

  run(inputs: readonly JaxArray[]): void {
    // The previous results may be among the inputs.
    const previous = this.results;
    this.results = this.f(...inputs.map((array) => array.ref));
    disposeAll(previous);
    // Operations are lazy: this makes jax-js hand them to the GPU.
    this.submitted.push(this.jax.blockUntilReady(this.results.map((array) => array.ref)).then(disposeAll));
  }

  async finish(): Promise<void> {
    await Promise.all(this.submitted);
    this.submitted = [];
    await this.jax.getWebGPUDevice().queue.onSubmittedWorkDone();
  }

  async read(names: readonly string[]): Promise<Record<string, Float32Array>> {
    const outputs: Record<string, Float32Array> = {};
    for (const [i, name] of names.entries()) outputs[name] = (await this.results[i]!.ref.data()).slice();
    return outputs;
  }
}

function disposeAll(arrays: readonly JaxArray[]): void {
  for (const array of arrays) array.dispose();
}

function upload(jax: Jax, inputs: HostTensors): JaxArray[] {
  return Object.values(inputs).map(({ data, shape }) => jax.numpy.array(data, { shape }));
}

/** The same, where `x` and `target` are letters. */
function uploadWithLetters(jax: Jax, inputs: HostTensors): JaxArray[] {
  return Object.entries(inputs).map(([name, { data, shape }]) => {
    const isLetters = name === 'x' || name === 'target';
    return jax.numpy.array(isLetters ? Int32Array.from(data) : data, { shape });
  });
}

/** A function of arrays in the order of `names` from one that asks for them by name. */
function byName<T>(names: readonly string[], body: (at: At) => T): (...inputs: JaxArray[]) => T {
  return (...inputs) => {
    const at: At = (name) => inputs[names.indexOf(name)]!.ref;
    const result = body(at);
    disposeAll(inputs);
    return result;
  };
}

function prepareForward(jax: Jax, shape: Exclude<CaseShape, GptCase>, inputs: HostTensors): Prepared {
  const used = Object.fromEntries(Object.entries(inputs).filter(([name]) => name !== 'target'));
  const f = jax.jit(byName(Object.keys(used), (at) => [forward(jax, shape, at)]));
  const runs = new JitRuns(jax, f);
  const arrays = upload(jax, used);
  return {
    run: () => runs.run(arrays),
    finish: () => runs.finish(),
    read: () => runs.read(['y']),
    release() {
      disposeAll([...arrays, ...runs.results]);
      f.dispose();
    },
  };
}

function prepareGradients(jax: Jax, shape: BlockCase, inputs: HostTensors): Prepared {
  const names = Object.keys(inputs);
  const wanted = ['x', ...trainedNames(inputs)];
  const f = jax.jit(gradientsOf(jax, shape, names, wanted));
  const runs = new JitRuns(jax, f);
  const arrays = upload(jax, inputs);
  return {
    run: () => runs.run(arrays),
    finish: () => runs.finish(),
    read: () => runs.read(wanted.map(gradientName)),
    release() {
      disposeAll([...arrays, ...runs.results]);
      f.dispose();
    },
  };
}

/** Gradients of the loss in the order of `wanted`. */
function gradientsOf(jax: Jax, shape: TrainedCase, names: readonly string[], wanted: readonly string[]) {
  const loss = byName(names, (at) =>
    shape.kind === 'gpt'
      ? gptLoss(jax, shape, at)
      : jax.numpy.mean(jax.numpy.square(block(jax, shape, at).sub(at('target')))),
  );
  return jax.grad(loss, { argnums: wanted.map((name) => names.indexOf(name)) });
}

/** Forward and backward as one function, AdamW as another: parameters and moments go in and come out. */
function prepareStep(jax: Jax, shape: TrainedCase, inputs: HostTensors): Prepared {
  const trained = trainedNames(inputs);
  const count = trained.length;
  const gradients = jax.jit(gradientsOf(jax, shape, Object.keys(inputs), trained));
  const updates = jax.jit((corrections, ...state) => adamw(jax, corrections!, state, count));
  const f = (x: JaxArray, target: JaxArray, corrections: JaxArray, ...state: JaxArray[]) => {
    const parameters = state.slice(0, count).map((array) => array.ref);
    return updates(corrections, ...state, ...gradients(x, target, ...parameters));
  };
  const { learningRate, beta1, beta2 } = STEP;
  const runs = new JitRuns(jax, (x, target, ...rest) => f(x!, target!, rest[0]!, ...rest.slice(1)));
  const arrays = shape.kind === 'gpt' ? uploadWithLetters(jax, inputs) : upload(jax, inputs);
  const zeros = trained.map((name) => jax.numpy.zeros(inputs[name]!.shape));
  const fixed = arrays.slice(0, 2);
  const initial = [...arrays.slice(2), ...zeros, ...zeros.map((array) => array.ref)];
  let steps = 0;
  return {
    run() {
      steps++;
      const data = new Float32Array([1 - beta1 ** steps, 1 - beta2 ** steps]);
      const corrections = jax.numpy.array(data, { shape: [2] });
      const state = steps === 1 ? initial : runs.results;
      runs.run([...fixed, corrections, ...state]);
      corrections.dispose();
    },
    finish: () => runs.finish(),
    async read() {
      const after = await runs.read(trained);
      return Object.fromEntries(
        trained.map((name) => [updateName(name), update(inputs[name]!.data, after[name]!, learningRate)]),
      ) satisfies Outputs;
    },
    release() {
      disposeAll([...fixed, ...initial, ...runs.results]);
      gradients.dispose();
      updates.dispose();
    },
  };
}

/** One update of `count` parameters: state is [parameters, first moments, second moments, gradients]. */
function adamw(jax: Jax, corrections: JaxArray, state: readonly JaxArray[], count: number): JaxArray[] {
  const { learningRate, weightDecay, beta1, beta2, epsilon } = STEP;
  const [first, second] = jax.numpy.split(corrections, 2, 0);
  const updated = Array.from({ length: count }, (_, i) => {
    const [p, m, v, g] = [0, 1, 2, 3].map((part) => state[part * count + i]!);
    const mean = m!.mul(beta1).add(g!.ref.mul(1 - beta1));
    const square = v!.mul(beta2).add(jax.numpy.square(g!).mul(1 - beta2));
    const denominator = jax.numpy.sqrt(square.ref.div(second!.ref)).add(epsilon);
    const step = mean.ref.div(first!.ref).div(denominator).mul(learningRate);
    return [p!.mul(1 - learningRate * weightDecay).sub(step), mean, square] as const;
  });
  disposeAll([first!, second!]);
  return [0, 1, 2].flatMap((part) => updated.map((arrays) => arrays[part]!));
}

function forward(jax: Jax, shape: Exclude<CaseShape, GptCase>, at: At): JaxArray {
  switch (shape.kind) {
    case 'matmul':
      return jax.numpy.matmul(at('a'), at('b'));
    case 'linear-gelu':
      return gelu(jax, linear(jax, at('x'), at('weight'), at('bias')));
    case 'mlp': {
      const hidden = gelu(jax, linear(jax, at('x'), at('fc1Weight'), at('fc1Bias')));
      return linear(jax, hidden, at('fc2Weight'), at('fc2Bias')).add(at('x'));
    }
    case 'layer-norm':
      return layerNorm(jax, at('x'), at('weight'), at('bias'));
    case 'attention':
      return attention(jax, at('q'), at('k'), at('v'), shape.heads);
    case 'block':
      return block(jax, shape, at);
  }
}

/** q, k and v [groups, rows, heads · d] → [groups, rows, heads · d]. */
function attention(jax: Jax, q: JaxArray, k: JaxArray, v: JaxArray, heads: number): JaxArray {
  const { shape } = q;
  const apart = (x: JaxArray) => {
    const [groups, rows, width] = x.shape as [number, number, number];
    return x.reshape([groups, rows, heads, width / heads]);
  };
  return jax.nn.dotProductAttention(apart(q), apart(k), apart(v)).reshape(shape);
}

function block(jax: Jax, { regions, locals, width, heads }: BlockCase, at: At): JaxArray {
  const np = jax.numpy;
  const norm = (name: string, x: JaxArray) => layerNorm(jax, x, at(`${name}.weight`), at(`${name}.bias`));
  const layer = (name: string, x: JaxArray) => linear(jax, x, at(`${name}.weight`), at(`${name}.bias`));
  const selfAttention = (name: string, x: JaxArray) => {
    const bias = np.concatenate([at(`${name}.qBias`), np.zeros([width]), at(`${name}.vBias`)], 0);
    const [q, k, v] = np.split(linear(jax, norm(`${name}.Norm`, x.ref), at(`${name}.qkv`), bias), 3, 2);
    return layer(`${name}.projection`, attention(jax, q!, k!, v!, heads)).add(x);
  };
  const windows = selfAttention('local', at('x'));
  const [representatives, tokens] = np.split(windows, [1], 1);
  const mixed = selfAttention('interRegion', representatives!.reshape([1, regions, width]));
  const name = 'localGlobal';
  const q = linear(jax, norm(`${name}.Norm`, tokens!.ref), at(`${name}.q`), at(`${name}.qBias`));
  const kvBias = np.concatenate([np.zeros([width]), at(`${name}.vBias`)], 0);
  const kv = linear(jax, norm(`${name}.contextNorm`, mixed.ref), at(`${name}.kv`), kvBias);
  const [k, v] = np.split(kv, 2, 2);
  const attended = attention(jax, q.reshape([1, regions * locals, width]), k!, v!, heads);
  const informed = layer(`${name}.projection`, attended).reshape([regions, locals, width]).add(tokens!);
  const joined = np.concatenate([mixed.reshape([regions, 1, width]), informed], 1);
  return layer('mlp.fc2', gelu(jax, layer('mlp.fc1', norm('mlp.Norm', joined.ref)))).add(joined);
}
