import type { HostArray } from '../cases.js';
import { ProtobufMessage } from './protobuf.js';

/** The name of an edge of the graph. */
export type Edge = string;

type Attribute = number | string | readonly number[] | { readonly float: number };

/** What an operator takes besides its inputs. */
export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** `com.microsoft` for ONNX Runtime's own operators. */
  readonly domain?: 'com.microsoft';
}

// Of onnx.proto: TensorProto.DataType and AttributeProto.AttributeType.
const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE = { float: 1, integer: 2, string: 3, integers: 7 } as const;
const IR_VERSION = 9;
const OPSET = 18;

/** Builds an ONNX model of f32 operators node by node; field numbers are those of onnx.proto. */
export class OnnxGraph {
  private readonly graph = new ProtobufMessage().bytes(2, 'case');
  private edges = 0;

  /** A tensor that every run is given. */
  input(name: string, shape: readonly number[]): Edge {
    this.graph.bytes(11, valueInfo(name, shape));
    return name;
  }

  /** A tensor that is part of the model. */
  constant({ shape, data }: HostArray): Edge {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return this.initializer(FLOAT, shape, bytes);
  }

  /** A vector of integers that is part of the model. */
  integers(values: readonly number[]): Edge {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.initializer(INT64, [values.length], bytes);
  }

  /** The only output of an operator. */
  node(operator: string, inputs: readonly Edge[], options: NodeOptions = {}): Edge {
    return this.nodes(operator, inputs, 1, options)[0]!;
  }

  /** The outputs of an operator that has several. */
  nodes(operator: string, inputs: readonly Edge[], count: number, options: NodeOptions = {}): Edge[] {
    const outputs = Array.from({ length: count }, () => this.newEdge());
    const node = new ProtobufMessage();
    for (const input of inputs) node.bytes(1, input);
    for (const output of outputs) node.bytes(2, output);
    node.bytes(3, `${operator} ${outputs[0]}`).bytes(4, operator);
    for (const [name, value] of Object.entries(options.attributes ?? {})) {
      node.bytes(5, attribute(name, value));
    }
    if (options.domain) node.bytes(7, options.domain);
    this.graph.bytes(1, node);
    return outputs;
  }

  /** The whole model; `edge` is its output, called `y`. */
  model(edge: Edge, shape: readonly number[]): Uint8Array<ArrayBuffer> {
    const last = new ProtobufMessage().bytes(1, edge).bytes(2, 'y').bytes(3, 'output').bytes(4, 'Identity');
    this.graph.bytes(1, last).bytes(12, valueInfo('y', shape));
    return new ProtobufMessage()
      .integer(1, IR_VERSION)
      .bytes(2, 'tubelet')
      .bytes(7, this.graph)
      .bytes(8, new ProtobufMessage().bytes(1, '').integer(2, OPSET))
      .bytes(8, new ProtobufMessage().bytes(1, 'com.microsoft').integer(2, 1))
      .encode();
  }

  private initializer(dataType: number, shape: readonly number[], bytes: Uint8Array): Edge {
    const name = this.newEdge();
    const tensor = new ProtobufMessage();
    for (const extent of shape) tensor.integer(1, extent);
    this.graph.bytes(5, tensor.integer(2, dataType).bytes(8, name).bytes(9, bytes));
    return name;
  }

  private newEdge(): Edge {
    return `edge${this.edges++}`;
  }
}

function attribute(name: string, value: Attribute): ProtobufMessage {
  const message = new ProtobufMessage().bytes(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, ATTRIBUTE.integer);
  if (typeof value === 'string') return message.bytes(4, value).integer(20, ATTRIBUTE.string);
  if ('float' in value) return message.float(2, value.float).integer(20, ATTRIBUTE.float);
  for (const each of value) message.integer(8, each);
  return message.integer(20, ATTRIBUTE.integers);
}

function valueInfo(name: string, extents: readonly number[]): ProtobufMessage {
  const shape = new ProtobufMessage();
  for (const extent of extents) shape.bytes(1, new ProtobufMessage().integer(1, extent));
  const tensor = new ProtobufMessage().integer(1, FLOAT).bytes(2, shape);
  return new ProtobufMessage().bytes(1, name).bytes(2, new ProtobufMessage().bytes(1, tensor));
}
