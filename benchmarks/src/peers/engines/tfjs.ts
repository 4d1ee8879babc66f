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
import type { Tf, TfTensor, TfVariable } from './tfjs-api.js';
import { gptLoss } from './tfjs-gpt.js';
import { gelu, layerNorm, linear } from './tfjs-layers.js';

type Tensors = Readonly<Record<string, TfTensor>>;
type ForwardCase = Exclude<CaseShape, GptCase>;

/** TensorFlow.js on WebGPU, with eager operations: layer norm, GELU and attention are composed of several. */
export async function openTfjs(load: LoadPeer): Promise<Engine> {
  const adapter = await provideNavigatorGpu();
  const tf = await load<Tf>('@tensorflow/tfjs');
  await load('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js does not start its WebGPU backend');
  await tf.ready();
  return {
    version: tf.version_core,
    adapter,
    methods: () => ['composed'],
    prepare: async (shape, inputs) =>
      shape.kind === 'gpt' || (shape.kind === 'block' && shape.part !== 'forward')
        ? prepareTraining(tf, shape, inputs)
        : prepareForward(tf, shape, inputs),
  };
}

function upload(tf: Tf, inputs: HostTensors): Tensors {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]),
  );
}

async function finish(tf: Tf): Promise<void> {
  const backend = tf.backend();
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

function prepareForward(tf: Tf, shape: ForwardCase, inputs: HostTensors): Prepared {
  const tensors = upload(tf, inputs);
  let result: TfTensor | undefined;
  return {
    run() {
      result?.dispose();
      result = tf.tidy(() => forward(tf, shape, tensors));
    },
    finish: () => finish(tf),
    read: async () => ({ y: (await result!.data()).slice() }),
    release: () => tf.dispose([...Object.values(tensors), result!]),
  };
}

function forward(tf: Tf, shape: ForwardCase, at: Tensors): TfTensor {
  switch (shape.kind) {
    case 'matmul':
      return tf.matMul(at['a']!, at['b']!);
    case 'linear-gelu':
      return gelu(tf, linear(tf, at['x']!, at['weight']!, at['bias']!));
    case 'mlp': {
      const hidden = gelu(tf, linear(tf, at['x']!, at['fc1Weight']!, at['fc1Bias']!));
      return tf.add(linear(tf, hidden, at['fc2Weight']!, at['fc2Bias']!), at['x']!);
    }
    case 'layer-norm':
      return layerNorm(tf, at['x']!, at['weight']!, at['bias']!);
    case 'attention':
      return attention(tf, at['q']!, at['k']!, at['v']!, shape.heads);
    case 'block':
      return block(tf, shape, at);
  }
}

/** q, k and v [groups, rows, heads · d] → [groups, rows, heads · d]. */
function attention(tf: Tf, q: TfTensor, k: TfTensor, v: TfTensor, heads: number): TfTensor {
  const apart = (x: TfTensor) => {
    const [groups, rows, width] = x.shape as [number, number, number];
    return tf.transpose(tf.reshape(x, [groups, rows, heads, width / heads]), [0, 2, 1, 3]);
  };
  const scale = (q.shape[2]! / heads) ** -0.5;
  const scores = tf.softmax(tf.matMul(tf.mul(apart(q), scale), apart(k), false, true));
  return tf.reshape(tf.transpose(tf.matMul(scores, apart(v)), [0, 2, 1, 3]), q.shape);
}

function block(tf: Tf, { regions, locals, width, heads }: BlockCase, at: Tensors): TfTensor {
  const norm = (name: string, x: TfTensor) => layerNorm(tf, x, at[`${name}.weight`]!, at[`${name}.bias`]!);
  const layer = (name: string, x: TfTensor) => linear(tf, x, at[`${name}.weight`]!, at[`${name}.bias`]!);
  const noBias = tf.zeros([width]);
  const selfAttention = (name: string, x: TfTensor) => {
    const bias = tf.concat([at[`${name}.qBias`]!, noBias, at[`${name}.vBias`]!], 0);
    const [q, k, v] = tf.split(linear(tf, norm(`${name}.Norm`, x), at[`${name}.qkv`]!, bias), 3, 2);
    return tf.add(layer(`${name}.projection`, attention(tf, q!, k!, v!, heads)), x);
  };
  const windows = selfAttention('local', at['x']!);
  const [representatives, tokens] = tf.split(windows, [1, locals], 1);
  const mixed = selfAttention('interRegion', tf.reshape(representatives!, [1, regions, width]));
  const name = 'localGlobal';
  const q = linear(tf, norm(`${name}.Norm`, tokens!), at[`${name}.q`]!, at[`${name}.qBias`]!);
  const kvBias = tf.concat([noBias, at[`${name}.vBias`]!], 0);
  const kv = linear(tf, norm(`${name}.contextNorm`, mixed), at[`${name}.kv`]!, kvBias);
  const [k, v] = tf.split(kv, 2, 2);
  const attended = attention(tf, tf.reshape(q, [1, regions * locals, width]), k!, v!, heads);
  const projected = tf.reshape(layer(`${name}.projection`, attended), [regions, locals, width]);
  const informed = tf.add(projected, tokens!);
  const joined = tf.concat([tf.reshape(mixed, [regions, 1, width]), informed], 1);
  return tf.add(layer('mlp.fc2', gelu(tf, layer('mlp.fc1', norm('mlp.Norm', joined)))), joined);
}

/** Gradients of the loss by `tf.grads`; the library's Adam after the decay of the weights. */
function prepareTraining(tf: Tf, shape: BlockCase | GptCase, inputs: HostTensors): Prepared {
  const { x, target, ...parameters } = upload(tf, inputs);
  const names = trainedNames(inputs);
  const variables = names.map((name): TfVariable => tf.variable(parameters[name]!, true, name));
  const { learningRate, weightDecay, beta1, beta2, epsilon } = STEP;
  const optimiser = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const byName = (values: readonly TfTensor[]) =>
    Object.fromEntries(names.map((name, i) => [name, values[i]!]));
  const gpt = shape.kind === 'gpt' ? gptLoss(tf, shape, inputs) : undefined;
  // Letters have no gradient.
  const leaves = gpt ? [] : [x!];
  const loss = (...values: TfTensor[]) => {
    const at = byName(values.slice(leaves.length));
    if (shape.kind === 'gpt') return gpt!.loss(at);
    return tf.mean(tf.square(tf.sub(block(tf, shape, { ...at, x: values[0]! }), target!)));
  };
  const isStep = shape.kind === 'gpt' || shape.part === 'step';
  let gradients: TfTensor[] = [];
  return {
    run() {
      tf.dispose(gradients);
      gradients = tf.tidy(() => tf.grads(loss)([...leaves, ...variables]));
      if (!isStep) return;
      tf.tidy(() => {
        for (const variable of variables) variable.assign(tf.mul(variable, 1 - learningRate * weightDecay));
        optimiser.applyGradients(
          Object.fromEntries(names.map((name, i) => [name, gradients[leaves.length + i]!])),
        );
      });
    },
    finish: () => finish(tf),
    async read() {
      const outputs: Record<string, Float32Array> = {};
      if (isStep) {
        for (const [i, name] of names.entries()) {
          const after = await variables[i]!.data();
          outputs[updateName(name)] = update(inputs[name]!.data, after, learningRate);
        }
        return outputs;
      }
      for (const [i, name] of ['x', ...names].entries()) {
        outputs[gradientName(name)] = (await gradients[i]!.data()).slice();
      }
      return outputs satisfies Outputs;
    },
    release() {
      optimiser.dispose();
      tf.dispose([
        x,
        target,
        ...Object.values(parameters),
        ...variables,
        ...gradients,
        ...(gpt?.constants ?? []),
      ]);
    },
  };
}
