import { describe, expect, it } from 'vitest';
import { caseInputs } from '../cases.js';
import { caseModel } from './case-model.js';
import { ProtobufMessage } from './protobuf.js';

const decode = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes);
const count = (text: string, part: string) => text.split(part).length - 1;

describe('Protocol Buffers', () => {
  it('are written as their specification has it', () => {
    // The specification's own examples: field 1 = 150, field 2 = "testing", field 3 = { field 1 = 150 }.
    const inner = new ProtobufMessage().integer(1, 150);
    const message = new ProtobufMessage().integer(1, 150).bytes(2, 'testing').bytes(3, inner);
    const hex = Buffer.from(message.encode()).toString('hex');
    expect(hex).toBe('089601' + '120774657374696e67' + '1a03089601');
    expect([...new ProtobufMessage().float(1, 1).encode()]).toEqual([0x0d, 0, 0, 0x80, 0x3f]);
    expect([...new ProtobufMessage().integer(20, 2).encode()]).toEqual([0xa0, 0x01, 2]);
    expect(() => new ProtobufMessage().integer(1, -1)).toThrow(RangeError);
  });
});

describe('the ONNX models of the cases', () => {
  it('keep weights inside and activations as inputs', () => {
    const shape = { kind: 'mlp', rows: 2, width: 4, hidden: 8 } as const;
    const { inputs, outputShape, model } = caseModel(shape, caseInputs(shape), 'composed');
    expect(inputs).toEqual(['x']);
    expect(outputShape).toEqual([2, 4]);
    const text = decode(model);
    expect(count(text, 'MatMul')).toBe(2 * 2);
    const weight = caseInputs(shape)['fc1Weight']!.data;
    expect(text).toContain(decode(new Uint8Array(weight.buffer)));
  });

  it('have attention of both kinds', () => {
    const shape = { kind: 'block', part: 'forward', regions: 2, locals: 3, width: 8, heads: 2 } as const;
    const arrays = caseInputs(shape);
    const composed = caseModel(shape, arrays, 'composed');
    expect(composed.outputShape).toEqual([2, 4, 8]);
    // An operator's type is also part of its name.
    expect(count(decode(composed.model), 'Softmax')).toBe(2 * 3);
    const fused = decode(caseModel(shape, arrays, 'fused attention').model);
    expect(count(fused, 'Softmax')).toBe(0);
    expect(count(fused, 'MultiHeadAttention')).toBe(2 * 3);
  });
});
