import protobuf from 'protobufjs/light.js';

/** Element types of ONNX tensors that cases use, by their numbers in `TensorProto.DataType`. */
const ELEMENT_TYPES = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
} as const;

export type ElementType = (typeof ELEMENT_TYPES)[keyof typeof ELEMENT_TYPES];

/** A tensor of a file, as numbers. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export type OnnxAttribute = number | string | OnnxTensor | readonly number[];

/** One operator of a graph. */
export interface OnnxNode {
  readonly operator: string;
  /** Names; empty ones are inputs and outputs that are left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxModel {
  readonly opset: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
}

const field = (id: number, type: string, rule?: 'repeated') => (rule ? { id, type, rule } : { id, type });

/** The part of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto that is read. */
const messages = protobuf.Root.fromJSON({
  nested: {
    Model: { fields: { graph: field(7, 'Graph'), opsetImport: field(8, 'OperatorSet', 'repeated') } },
    OperatorSet: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    Graph: {
      fields: {
        node: field(1, 'Node', 'repeated'),
        initializer: field(5, 'Tensor', 'repeated'),
        input: field(11, 'ValueInfo', 'repeated'),
        output: field(12, 'ValueInfo', 'repeated'),
      },
    },
    ValueInfo: { fields: { name: field(1, 'string') } },
    Node: {
      fields: {
        input: field(1, 'string', 'repeated'),
        output: field(2, 'string', 'repeated'),
        opType: field(4, 'string'),
        attribute: field(5, 'Attribute', 'repeated'),
      },
    },
    Attribute: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        s: field(4, 'bytes'),
        t: field(5, 'Tensor'),
        floats: field(7, 'float', 'repeated'),
        ints: field(8, 'int64', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    Tensor: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        dataType: field(2, 'int32'),
        floatData: field(4, 'float', 'repeated'),
        int32Data: field(5, 'int32', 'repeated'),
        int64Data: field(7, 'int64', 'repeated'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
        doubleData: field(10, 'double', 'repeated'),
        uint64Data: field(11, 'uint64', 'repeated'),
      },
    },
  },
});

interface TensorMessage {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData: Uint8Array;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly int64Data: readonly number[];
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly number[];
}

interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly t: TensorMessage;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

interface ModelMessage {
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: {
    readonly node: readonly {
      readonly input: readonly string[];
      readonly output: readonly string[];
      readonly opType: string;
      readonly attribute: readonly AttributeMessage[];
    }[];
    readonly initializer: readonly TensorMessage[];
    readonly input: readonly { readonly name: string }[];
    readonly output: readonly { readonly name: string }[];
  };
}

/**
 * Reads `model.onnx`.
 *
 * @throws for bytes that are no such message, and for what no case has
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  const { graph, opsetImport } = decode<ModelMessage>('Model', bytes);
  return {
    opset: opsetImport.find(({ domain }) => domain === '')?.version ?? 0,
    inputs: graph.input.map(({ name }) => name),
    outputs: graph.output.map(({ name }) => name),
    nodes: graph.node.map(({ opType, input, output, attribute }) => ({
      operator: opType,
      inputs: input,
      outputs: output,
      attributes: new Map(attribute.map((each) => [each.name, attributeValue(each)])),
    })),
    constants: graph.initializer.map(tensorOf),
  };
}

/** Reads a file of one tensor. */
export function readTensor(bytes: Uint8Array): OnnxTensor {
  return tensorOf(decode<TensorMessage>('Tensor', bytes));
}

function decode<Message>(name: string, bytes: Uint8Array): Message {
  const type = messages.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true }) as Message;
}

function attributeValue({ name, type, f, i, s, t, floats, ints }: AttributeMessage): OnnxAttribute {
  if (type === 1) return f;
  if (type === 2) return i;
  if (type === 3) return new TextDecoder().decode(s);
  if (type === 4) return tensorOf(t);
  if (type === 6) return floats;
  if (type === 7) return ints;
  throw new Error(`attribute ${name} has type ${type}, which is not read`);
}

function tensorOf(message: TensorMessage): OnnxTensor {
  const { name, dims, dataType, rawData } = message;
  const type = (ELEMENT_TYPES as Readonly<Record<number, ElementType>>)[dataType];
  if (!type) throw new Error(`tensor ${name} has element type ${dataType}, which is not read`);
  const listed = [
    message.floatData,
    message.int32Data,
    message.int64Data,
    message.doubleData,
    message.uint64Data,
  ];
  const data =
    rawData.length > 0 ? rawNumbers(type, rawData) : (listed.find(({ length }) => length > 0) ?? []);
  return { name, type, shape: dims, data: data.map(Number) };
}

const READERS: Readonly<
  Record<ElementType, readonly [bytes: number, (view: DataView, at: number) => number | bigint]>
> = {
  float32: [4, (view, at) => view.getFloat32(at, true)],
  uint8: [1, (view, at) => view.getUint8(at)],
  int8: [1, (view, at) => view.getInt8(at)],
  int32: [4, (view, at) => view.getInt32(at, true)],
  int64: [8, (view, at) => view.getBigInt64(at, true)],
  bool: [1, (view, at) => view.getUint8(at)],
  float16: [2, (view, at) => view.getUint16(at, true)],
  float64: [8, (view, at) => view.getFloat64(at, true)],
  uint32: [4, (view, at) => view.getUint32(at, true)],
  uint64: [8, (view, at) => view.getBigUint64(at, true)],
};

function rawNumbers(type: ElementType, bytes: Uint8Array): number[] {
  const [size, read] = READERS[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / size }, (_, i) => Number(read(view, i * size)));
}
