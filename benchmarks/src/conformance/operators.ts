import {
  add,
  concat,
  crossEntropy,
  div,
  erf,
  exp,
  expand,
  gather,
  gelu,
  layerNorm,
  log,
  logSoftmax,
  matmul,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  pad,
  permute,
  pow,
  relu,
  reshape,
  scaledDotProductAttention,
  sigmoid,
  slice,
  softmax,
  split,
  sqrt,
  sub,
  sum,
  takeAlong,
  tanh,
  transpose,
  where,
  type ReductionOptions,
  type Tensor,
} from '@tubelet/autograd';
import { NotCoveredError, type NodeInputs } from './node-inputs.js';

type Operator = (inputs: NodeInputs) => Tensor | readonly Tensor[];

const unary =
  (operation: (x: Tensor) => Tensor): Operator =>
  (inputs) =>
    operation(inputs.tensor(0));

const binary =
  (operation: (a: Tensor, b: Tensor) => Tensor): Operator =>
  (inputs) =>
    operation(inputs.tensor(0), inputs.tensor(1));

// Hides a key for good: what is added to it does not bring it back.
const HIDDEN = -1e30;

/** ONNX's operators by the operations of `@tubelet/autograd`: https://onnx.ai/onnx/operators */
export const operators: Readonly<Record<string, Operator>> = {
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: binary(div),
  Pow: binary(pow),
  Neg: unary(neg),
  Exp: unary(exp),
  Log: unary(log),
  Sqrt: unary(sqrt),
  Erf: unary(erf),
  Relu: unary(relu),
  Sigmoid: unary(sigmoid),
  Tanh: unary(tanh),
  Gelu: (inputs) =>
    inputs.text('approximate', 'none') === 'tanh' ? geluByTanh(inputs.tensor(0)) : gelu(inputs.tensor(0)),
  Clip: (inputs) => {
    const [least, most] = [inputs.optional(1), inputs.optional(2)];
    let x = inputs.tensor(0);
    if (least) x = maximum(x, least);
    return most ? minimum(x, most) : x;
  },
  Where: (inputs) => where(inputs.tensor(0), inputs.tensor(1), inputs.tensor(2)),
  MatMul: binary(matmul),
  Gemm: (inputs) => {
    const [a, b, c] = [inputs.tensor(0), inputs.tensor(1), inputs.optional(2)];
    const isTransposed = (name: string) => inputs.number(name, 0) !== 0;
    const product = matmul(
      isTransposed('transA') ? transpose(a) : a,
      isTransposed('transB') ? transpose(b) : b,
    );
    const y = mul(product, inputs.number('alpha', 1));
    return c ? add(y, mul(c, inputs.number('beta', 1))) : y;
  },
  Transpose: (inputs) => {
    const x = inputs.tensor(0);
    return permute(x, inputs.list('perm', x.shape.map((_, axis) => axis).reverse()));
  },
  Reshape: (inputs) => {
    const x = inputs.tensor(0);
    return reshape(
      x,
      inputs.numbers(1)!.map((extent, axis) => (extent === 0 ? x.shape[axis]! : extent)),
    );
  },
  Squeeze: (inputs) => {
    const x = inputs.tensor(0);
    const axes = inputs.numbers(1)?.map((axis) => (axis + x.shape.length) % x.shape.length);
    return reshape(
      x,
      x.shape.filter((extent, axis) => (axes ? !axes.includes(axis) : extent !== 1)),
    );
  },
  Unsqueeze: (inputs) => {
    const x = inputs.tensor(0);
    const given = inputs.numbers(1)!;
    const rank = x.shape.length + given.length;
    const axes = given.map((axis) => (axis + rank) % rank);
    const own = [...x.shape];
    return reshape(
      x,
      Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : own.shift()!)),
    );
  },
  Expand: (inputs) => {
    const x = inputs.tensor(0);
    // Either of the two may have an axis of extent 1.
    const wanted = inputs.numbers(1)!;
    const rank = Math.max(wanted.length, x.shape.length);
    const at = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1;
    return expand(
      x,
      Array.from({ length: rank }, (_, axis) => Math.max(at(wanted, axis), at(x.shape, axis))),
    );
  },
  Slice: (inputs) => {
    const [starts, ends] = [inputs.numbers(1)!, inputs.numbers(2)!];
    const axes = inputs.numbers(3) ?? starts.map((_, axis) => axis);
    const steps = inputs.numbers(4) ?? starts.map(() => 1);
    return axes.reduce(
      (x, axis, i) => slice(x, axis, { start: starts[i]!, end: ends[i]!, step: steps[i]! }),
      inputs.tensor(0),
    );
  },
  Split: (inputs) => {
    const x = inputs.tensor(0);
    const axis = inputs.number('axis', 0);
    const count = inputs.node.outputs.length;
    const extent = x.extent(axis);
    const each = Math.ceil(extent / count);
    const equal = Array.from({ length: count }, (_, i) => Math.min(each, extent - i * each));
    return split(x, axis, inputs.numbers(1) ?? equal);
  },
  Concat: (inputs) => concat(inputs.all(), inputs.number('axis', 0)),
  Gather: (inputs) => gather(inputs.tensor(0), inputs.indices(1), { axis: inputs.number('axis', 0) }),
  GatherElements: (inputs) => {
    const axis = inputs.number('axis', 0);
    return takeAlong(inputs.tensor(0), inputs.indices(1), { axis });
  },
  ReduceSum: reduction(sum),
  ReduceMean: reduction(mean),
  ReduceMax: reduction(max),
  ReduceSumSquare: reduction((x, options) => sum(mul(x, x), options)),
  Softmax: (inputs) => softmax(inputs.tensor(0), { axis: inputs.number('axis', -1) }),
  LogSoftmax: (inputs) => logSoftmax(inputs.tensor(0), { axis: inputs.number('axis', -1) }),
  LayerNormalization: (inputs) => {
    const [x, weight] = [inputs.tensor(0), inputs.tensor(1)];
    const bias = inputs.optional(2) ?? mul(weight, 0);
    const first = (inputs.number('axis', -1) + x.shape.length) % x.shape.length;
    const epsilon = inputs.number('epsilon', 1e-5);
    const rows = reshape(x, [-1, weight.array.size]);
    const y = layerNorm(rows, reshape(weight, [-1]), reshape(bias, [-1]), { epsilon });
    const axes = x.shape.map((_, axis) => axis).slice(first);
    const average = mean(x, { axes, keepDims: true });
    const distance = sub(x, average);
    const variance = mean(mul(distance, distance), { axes, keepDims: true });
    return [reshape(y, x.shape), average, pow(add(variance, epsilon), -0.5)];
  },
  SoftmaxCrossEntropyLoss: (inputs) => {
    const weights = inputs.optional(2);
    const ignored = inputs.node.attributes.get('ignore_index') as number | undefined;
    const loss = crossEntropy(inputs.tensor(0), inputs.indices(1), {
      axis: 1,
      reduction: inputs.text('reduction', 'mean') as 'mean' | 'sum' | 'none',
      ...(weights ? { weights } : {}),
      ...(ignored === undefined ? {} : { ignoreIndex: ignored }),
    });
    return [loss, logSoftmax(inputs.tensor(0), { axis: 1 })];
  },
  Attention: attention,
};

function reduction(operation: (x: Tensor, options: ReductionOptions) => Tensor): Operator {
  return (inputs) => {
    const x = inputs.tensor(0);
    const given = inputs.numbers(1) ?? inputs.list('axes', []);
    const keepDims = inputs.number('keepdims', 1) !== 0;
    if (given.length > 0) return operation(x, { axes: given, keepDims });
    return inputs.number('noop_with_empty_axes', 0) !== 0
      ? operation(x, { axes: [] })
      : operation(x, { keepDims });
  };
}

/** 0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) */
function geluByTanh(x: Tensor): Tensor {
  const inner = mul(add(x, mul(mul(mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}

function attention(inputs: NodeInputs): Tensor {
  const { node } = inputs;
  const others = ['softcap', 'qk_matmul_output_mode', 'softmax_precision'].filter((name) =>
    inputs.number(name, 0),
  );
  if (others.length > 0 || node.inputs[4] || node.inputs[5] || node.outputs.length > 1) {
    throw new NotCoveredError(`Attention with ${others.join(', ') || 'keys and values of the past'}`);
  }
  const isFlat = inputs.tensor(0).shape.length === 3;
  const byHead = (i: number, attribute: string) => {
    const x = inputs.tensor(i);
    if (!isFlat) return x;
    const [batch, length] = x.shape as [number, number];
    return permute(reshape(x, [batch, length, inputs.number(attribute, 1), -1]), [0, 2, 1, 3]);
  };
  const [q, k, v] = [byHead(0, 'q_num_heads'), byHead(1, 'kv_num_heads'), byHead(2, 'kv_num_heads')];
  const mask = attentionMask(inputs, k.extent(-2));
  const scale = node.attributes.get('scale') as number | undefined;
  const y = scaledDotProductAttention(q, k, v, {
    causal: inputs.number('is_causal', 0) !== 0,
    ...(mask ? { mask } : {}),
    ...(scale === undefined ? {} : { scale }),
  });
  if (!isFlat) return y;
  const [batch, , length] = y.shape as [number, number, number];
  return reshape(permute(y, [0, 2, 1, 3]), [batch, length, -1]);
}

/** The mask to add, of all keys: those that it does not speak of are hidden, and so is padding. */
function attentionMask(inputs: NodeInputs, keys: number): Tensor | undefined {
  let mask = inputs.optional(3);
  if (mask && inputs.isBoolean(3)) mask = where(mask, 0, HIDDEN);
  const missing = mask ? keys - mask.extent(-1) : 0;
  if (mask && missing > 0) {
    const widths = mask.shape.map((_, axis) => [0, axis === mask!.shape.length - 1 ? missing : 0] as const);
    mask = pad(mask, widths, { value: HIDDEN });
  }
  const lengths = inputs.numbers(6);
  if (!lengths) return mask;
  const hidden = lengths.flatMap((length) =>
    Array.from({ length: keys }, (_, i) => (i < length ? 0 : HIDDEN)),
  );
  const padding = inputs.engine.tensor(Float32Array.from(hidden), [lengths.length, 1, 1, keys]);
  return mask ? add(mask, padding) : padding;
}
