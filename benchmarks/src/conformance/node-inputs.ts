import type { Engine, Tensor } from '@tubelet/autograd';
import type { OnnxNode, OnnxTensor } from './onnx-file.js';

/** A case asks for what the operations do not do; the message says for what. */
export class NotCoveredError extends Error {
  override readonly name = 'NotCoveredError';
}

/** What a node of a graph reads: tensors on the GPU, or numbers where an operation wants them on the host. */
export class NodeInputs {
  constructor(
    readonly engine: Engine,
    readonly node: OnnxNode,
    private readonly values: ReadonlyMap<string, OnnxTensor | Tensor>,
  ) {}

  /**
   * Input i as an f32 tensor, whole numbers and truth values included.
   *
   * @throws NotCoveredError for an empty one
   */
  tensor(i: number): Tensor {
    const value = this.optional(i);
    if (!value) throw new NotCoveredError(`${this.node.operator} without its input ${i}`);
    return value;
  }

  optional(i: number): Tensor | undefined {
    const value = this.value(i);
    if (!value || 'engine' in value) return value;
    if (value.type === 'float64' || value.type === 'float16') throw new NotCoveredError(`${value.type}`);
    return this.engine.tensor(Float32Array.from(value.data), value.shape, { name: value.name });
  }

  /** All inputs as tensors. */
  all(): Tensor[] {
    return this.node.inputs.map((_, i) => this.tensor(i));
  }

  /** Input i as a tensor of indices. */
  indices(i: number): Tensor {
    const { data, shape, name } = this.host(i)!;
    return this.engine.tensor(Int32Array.from(data), shape, { name });
  }

  /** The numbers of input i, which the file gives; undefined where it is left out. */
  numbers(i: number): readonly number[] | undefined {
    return this.host(i)?.data;
  }

  isBoolean(i: number): boolean {
    return this.host(i)?.type === 'bool';
  }

  number(name: string, fallback: number): number {
    return (this.node.attributes.get(name) as number | undefined) ?? fallback;
  }

  text(name: string, fallback: string): string {
    return (this.node.attributes.get(name) as string | undefined) ?? fallback;
  }

  list(name: string, fallback: readonly number[]): readonly number[] {
    return (this.node.attributes.get(name) as readonly number[] | undefined) ?? fallback;
  }

  private host(i: number): OnnxTensor | undefined {
    const value = this.value(i);
    if (value && 'engine' in value)
      throw new NotCoveredError(`${this.node.operator} with a computed input ${i}`);
    return value;
  }

  private value(i: number): OnnxTensor | Tensor | undefined {
    const name = this.node.inputs[i];
    return name === undefined || name === '' ? undefined : this.values.get(name);
  }
}
