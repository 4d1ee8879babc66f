import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ProtobufMessage } from '../peers/onnx/protobuf.js';
import { findCases, runCase } from './run-case.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'tubelet-conformance-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tensor(
  name: string,
  shape: readonly number[],
  values: Float32Array | BigInt64Array,
): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const extent of shape) message.integer(1, extent);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return message
    .integer(2, values instanceof Float32Array ? 1 : 7)
    .bytes(8, name)
    .bytes(9, bytes);
}

/** A case of one operator with inputs x and y. */
function writeCase(name: string, operator: string, tensors: Readonly<Record<string, ProtobufMessage>>): void {
  const node = new ProtobufMessage();
  const graph = new ProtobufMessage();
  const inputs = Object.keys(tensors).filter((key) => key !== 'z');
  for (const input of inputs) node.bytes(1, input);
  const axis = new ProtobufMessage().bytes(1, 'axis').integer(3, 0).integer(20, 2);
  graph.bytes(1, node.bytes(2, 'z').bytes(4, operator).bytes(5, axis));
  for (const input of inputs) graph.bytes(11, new ProtobufMessage().bytes(1, input));
  graph.bytes(12, new ProtobufMessage().bytes(1, 'z'));
  const opset = new ProtobufMessage().bytes(1, '').integer(2, 14);
  const set = join(folder, name, 'test_data_set_0');
  mkdirSync(set, { recursive: true });
  writeFileSync(
    join(folder, name, 'model.onnx'),
    new ProtobufMessage().bytes(8, opset).bytes(7, graph).encode(),
  );
  inputs.forEach((input, i) => writeFileSync(join(set, `input_${i}.pb`), tensors[input]!.encode()));
  writeFileSync(join(set, 'output_0.pb'), tensors['z']!.encode());
}

it('runs cases from files, and tells those that fail from those that are not covered', async () => {
  const x = tensor('x', [2, 2], Float32Array.of(1, 2, 3, 4));
  const row = tensor('y', [2], Float32Array.of(10, 20));
  writeCase('a_sum', 'Add', { x, y: row, z: tensor('z', [2, 2], Float32Array.of(11, 22, 13, 24)) });
  writeCase('b_wrong_value', 'Add', { x, y: row, z: tensor('z', [2, 2], Float32Array.of(11, 22, 13, 25)) });
  writeCase('c_wrong_shape', 'Add', { x, y: row, z: tensor('z', [4], Float32Array.of(11, 22, 13, 24)) });
  const ids = tensor('y', [1], BigInt64Array.of(-1n));
  writeCase('d_rows', 'Gather', { x, y: ids, z: tensor('z', [1, 2], Float32Array.of(3, 4)) });
  writeCase('e_unknown', 'Celu', { x, z: x });
  writeCase('f_whole', 'Add', { x: ids, y: ids, z: tensor('z', [1], BigInt64Array.of(-2n)) });
  const runtime = await openNodeRuntime();
  try {
    const engine = new Engine(runtime);
    const results = [];
    for (const path of findCases(folder)) results.push(await runCase(engine, path));
    expect(results).toMatchObject([
      { name: 'a_sum', outcome: 'passed', error: 0 },
      { name: 'b_wrong_value', outcome: 'failed', reason: expect.stringMatching(/4\.0e-2/) },
      { name: 'c_wrong_shape', outcome: 'failed', reason: expect.stringMatching(/\[2, 2\].*\[4\]/) },
      { name: 'd_rows', outcome: 'passed' },
      { name: 'e_unknown', outcome: 'not covered', reason: 'operator Celu' },
      { name: 'f_whole', outcome: 'not covered', reason: expect.stringMatching(/whole numbers \(int64\)/) },
    ]);
  } finally {
    closeNodeRuntime(runtime);
  }
});
