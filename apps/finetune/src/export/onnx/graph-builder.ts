import {
  ATTRIBUTE_TYPE,
  DATA_TYPE,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from './onnx-format.js';

/** A value of the graph, by its name. The extents are those behind the batch, which is the first axis of every value. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}

type Attributes = Readonly<Record<string, number | readonly number[] | { readonly float: number }>>;

function attribute(name: string, value: Attributes[string]): OnnxAttribute {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
}

/** Collects the nodes and constants of a graph of standard operators. */
export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  private readonly stored = new Set<string>();

  /** A float32 constant; gives its name. */
  constant(name: string, data: Float32Array, dims: readonly number[]): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ name, dims, dataType: DATA_TYPE.float, rawData });
    return name;
  }

  /** A constant of whole numbers, such as a shape; equal ones are stored once. */
  integers(values: readonly number[]): string {
    const key = `int64 ${values.join(' ')}`;
    if (!this.stored.has(key)) {
      const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      this.initializers.push({ name: key, dims: [values.length], dataType: DATA_TYPE.int64, rawData });
      this.stored.add(key);
    }
    return key;
  }

  /** A node with one output; gives the output's name, which is made of the operator's if none is given. */
  node(opType: string, input: readonly string[], attributes: Attributes = {}, output?: string): string {
    const name = output ?? `${opType} ${this.nodes.length}`;
    this.nodes.push({
      name,
      opType,
      input,
      output: [name],
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return name;
  }

  /** Keeps the batch and gives the rest another shape. */
  reshape(value: Value, shape: readonly number[]): Value {
    // 0 stands for the extent that is there.
    return { name: this.node('Reshape', [value.name, this.integers([0, ...shape])]), shape };
  }

  /** `order` names the axes behind the batch, from 0. */
  transpose(value: Value, order: readonly number[]): Value {
    const perm = [0, ...order.map((axis) => axis + 1)];
    return {
      name: this.node('Transpose', [value.name], { perm }),
      shape: order.map((axis) => value.shape[axis]!),
    };
  }

  /** The elements from `start` to before `end` of an axis behind the batch. */
  slice(value: Value, axis: number, start: number, end: number): Value {
    const parts = [[start], [end], [axis + 1]].map((one) => this.integers(one));
    const shape = value.shape.map((extent, i) => (i === axis ? end - start : extent));
    return { name: this.node('Slice', [value.name, ...parts]), shape };
  }

  /** Values one after the other along an axis behind the batch. */
  concat(values: readonly Value[], axis: number): Value {
    const shape = values[0]!.shape.map((extent, i) =>
      i === axis ? values.reduce((sum, value) => sum + value.shape[axis]!, 0) : extent,
    );
    const names = values.map(({ name }) => name);
    return { name: this.node('Concat', names, { axis: axis + 1 }), shape };
  }

  /** The sum of a value and what is broadcast to its shape. */
  add(value: Value, other: string): Value {
    return { name: this.node('Add', [value.name, other]), shape: value.shape };
  }
}
