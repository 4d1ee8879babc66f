import { describe, expect, it } from 'vitest';
import { CheckpointFormatError } from './pytorch-errors.js';
import { readPytorchCheckpoint } from './pytorch-checkpoint.js';
import { safetensorsFloat32 } from './safetensors.js';
import {
  archive,
  bytesOf,
  callOf,
  dictOf,
  op,
  pickle,
  tensorOf,
  tupleOf,
  writeZip,
} from './testing/torch-archive.js';

const numbers = Float32Array.of(1, 2, 3, 4, 5, 6);
const storages = { '0': bytesOf(numbers) };
const weight = tensorOf({ key: '0', size: 6, shape: [2, 3] });
const modelOnly = pickle(dictOf([['model', dictOf([['head.weight', weight]])]]));

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe('readPytorchCheckpoint', () => {
  it('reads the model and says what else there is', () => {
    const args = concat(
      op.global('argparse', 'Namespace'),
      op.emptyTuple,
      Uint8Array.of(0x81),
      dictOf([
        ['nb_classes', op.integer(7)],
        ['data_set', op.string('DFEW')],
        ['resume', op.none],
        ['eval', op.false],
        ['betas', tupleOf(op.integer(1))],
      ]),
      op.build,
    );
    const optimizer = dictOf([['exp_avg', tensorOf({ key: '77', size: 1000, shape: [1000] })]]);
    const checkpoint = readPytorchCheckpoint(
      archive(
        pickle(
          dictOf([
            ['model', dictOf([['head.weight', weight]])],
            ['optimizer', optimizer],
            ['epoch', op.string('best')],
            ['args', args],
          ]),
        ),
        storages,
      ),
    );
    expect([...checkpoint.tensors]).toEqual([
      ['head.weight', { dtype: 'F32', shape: [2, 3], data: numbers }],
    ]);
    expect(checkpoint.stateDictKey).toBe('model');
    expect(checkpoint.epoch).toBe('best');
    expect(Object.fromEntries(checkpoint.settings)).toEqual({
      nb_classes: 7,
      data_set: 'DFEW',
      resume: null,
      eval: false,
    });
    expect(checkpoint.unreadKeys).toEqual(['optimizer']);
    expect(checkpoint.uncalled).toEqual(['argparse.Namespace']);
    expect(checkpoint.nonTensors).toEqual([]);
  });

  it.each(['model', 'module', null] as const)('finds the state dict under %s', (key) => {
    const stateDict = dictOf([['w', weight]]);
    const file = key === null ? stateDict : dictOf([[key, stateDict]]);
    const checkpoint = readPytorchCheckpoint(archive(pickle(file), storages, { root: 'checkpoint-best' }));
    expect(checkpoint.stateDictKey).toBe(key);
    expect([...checkpoint.tensors.keys()]).toEqual(['w']);
  });

  it('reads archives with 64-bit fields, from bytes at any alignment', () => {
    const bytes = archive(modelOnly, storages, { zip64: true });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const { tensors } = readPytorchCheckpoint(shifted.subarray(3));
    expect(tensors.get('head.weight')?.data).toEqual(numbers);
  });

  it('reads views: an offset, a transposed matrix, a scalar, an empty tensor', () => {
    const huge = new Array<number>(40).fill(0x7fffffff);
    const views = dictOf([
      ['row', tensorOf({ key: '0', size: 6, shape: [3], offset: 3 })],
      ['transposed', tensorOf({ key: '0', size: 6, shape: [3, 2], strides: [1, 3] })],
      ['scalar', tensorOf({ key: '0', size: 6, shape: [], offset: 5 })],
      ['empty', tensorOf({ key: '0', size: 6, shape: [0, 4] })],
      ['huge empty', tensorOf({ key: '0', size: 6, shape: [...huge, 0], strides: [...huge, 1] })],
    ]);
    const { tensors } = readPytorchCheckpoint(archive(pickle(views), storages));
    expect([...tensors.get('row')!.data]).toEqual([4, 5, 6]);
    expect(tensors.get('transposed')).toEqual({
      dtype: 'F32',
      shape: [3, 2],
      data: Float32Array.of(1, 4, 2, 5, 3, 6),
    });
    expect(tensors.get('scalar')).toEqual({ dtype: 'F32', shape: [], data: Float32Array.of(6) });
    expect(tensors.get('empty')).toEqual({ dtype: 'F32', shape: [0, 4], data: new Float32Array(0) });
    // The product of the other extents is infinite, and infinite times 0 is not a number.
    expect(tensors.get('huge empty')?.data).toEqual(new Float32Array(0));
  });

  it('reads half precision, doubles and whole numbers', () => {
    const file = dictOf([
      ['half', tensorOf({ key: 'h', size: 2, shape: [2], type: 'HalfStorage' })],
      ['bfloat', tensorOf({ key: 'b', size: 2, shape: [2], type: 'BFloat16Storage' })],
      ['double', tensorOf({ key: 'd', size: 1, shape: [1], type: 'DoubleStorage' })],
      ['long', tensorOf({ key: 'l', size: 1, shape: [], type: 'LongStorage' })],
    ]);
    const { tensors } = readPytorchCheckpoint(
      archive(pickle(file), {
        h: bytesOf(Uint16Array.of(0x3c00, 0xc100)),
        b: bytesOf(Uint16Array.of(0x3f80, 0xc020)),
        d: bytesOf(Float64Array.of(0.1)),
        l: bytesOf(BigInt64Array.of(-5n)),
      }),
    );
    expect([...safetensorsFloat32('half', tensors.get('half')!)]).toEqual([1, -2.5]);
    expect([...safetensorsFloat32('bfloat', tensors.get('bfloat')!)]).toEqual([1, -2.5]);
    expect([...tensors.get('double')!.data]).toEqual([0.1]);
    expect([...tensors.get('long')!.data]).toEqual([-5n]);
  });

  it('reports what is not a tensor in the state dict', () => {
    const file = dictOf([
      ['w', weight],
      ['epoch', op.integer(3)],
    ]);
    expect(readPytorchCheckpoint(archive(pickle(file), storages)).nonTensors).toEqual(['epoch: number 3']);
  });
});

describe('a hostile pickle', () => {
  const runs = (module: string, name: string) => callOf(module, name, op.string('touch /nowhere/ran'));

  it('is read without running what it names, and tells', () => {
    const file = dictOf([
      ['model', dictOf([['w', weight]])],
      ['payload', runs('os', 'system')],
      ['other', runs('builtins', 'eval')],
      // A call whose callee is itself the result of a call: getattr(os, 'system')('…').
      [
        'nested',
        concat(callOf('builtins', 'getattr', op.string('system')), tupleOf(op.string('x')), op.reduce),
      ],
    ]);
    const checkpoint = readPytorchCheckpoint(archive(pickle(file), storages));
    expect(checkpoint.uncalled).toEqual(['os.system', 'builtins.eval', 'builtins.getattr']);
    expect([...checkpoint.tensors.keys()]).toEqual(['w']);
  });

  it('is refused where its call stands for the weights', () => {
    const inPlaceOfAll = archive(pickle(runs('posix', 'system')));
    expect(() => readPytorchCheckpoint(inPlaceOfAll)).toThrow(/call of posix\.system \(not run\)/);
    const inPlaceOfModel = archive(pickle(dictOf([['model', runs('os', 'system')]])));
    expect(() => readPytorchCheckpoint(inPlaceOfModel)).toThrow(/"model".*call of os\.system \(not run\)/);
    const inPlaceOfTensor = archive(pickle(dictOf([['model', dictOf([['w', runs('os', 'system')]])]])));
    expect(() => readPytorchCheckpoint(inPlaceOfTensor)).toThrow(
      /no tensors; it holds w: a call of os\.system/,
    );
  });

  it('may nest its keys as deep as it likes', () => {
    const deep = concat(op.emptyTuple, new Uint8Array(200_000).fill(0x85)); // TUPLE1, 200,000 times
    const file = concat(op.emptyDict, op.mark, op.string('w'), weight, deep, op.none, op.setItems);
    expect(readPytorchCheckpoint(archive(pickle(file), storages)).nonTensors).toEqual(['<a list>: None']);
  });

  it('cannot reach prototypes through its keys', () => {
    const file = dictOf([['__proto__', dictOf([['polluted', op.true]])]]);
    expect(() => readPytorchCheckpoint(archive(pickle(file)))).toThrow(CheckpointFormatError);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    ['INST, which calls a class by name', [op.mark, Uint8Array.from(Buffer.from('ios\nsystem\n'))]],
    ['OBJ, which calls a class on the stack', [op.mark, op.global('os', 'system'), Uint8Array.of(0x6f)]],
    ['an extension code', [Uint8Array.of(0x82, 1)]],
    ['an unknown byte', [Uint8Array.of(0xff)]],
  ])('is refused with %s', (_, opcodes) => {
    expect(() => readPytorchCheckpoint(archive(pickle(...opcodes)))).toThrow(/opcode 0x.*refusing/);
  });

  it.each([
    ['an empty stack', pickle(op.reduce)],
    ['no mark', pickle(op.tuple)],
    ['a value never remembered', pickle(Uint8Array.of(0x68, 9))],
    ['items set on a number', pickle(op.integer(1), op.mark, op.string('k'), op.none, op.setItems)],
    ['an argument past the end', concat(Uint8Array.of(0x80, 2, 0x58), Uint8Array.of(255, 255, 255, 127))],
    ['an endless integer', pickle(Uint8Array.of(0x8b, 0, 1, 0, 0), new Uint8Array(256))],
    ['no end', Uint8Array.of(0x80, 2, 0x4e)],
    ['text protocol 0', Uint8Array.from(Buffer.from('cos\nsystem\n(S"ls"\ntR.'))],
    ['a protocol of the future', pickle(Uint8Array.of(0x80, 9))],
  ])('is refused with %s', (_, bytes) => {
    expect(() => readPytorchCheckpoint(archive(bytes))).toThrow(/pickle/);
  });

  it.each([
    ['reaches beyond its storage', { shape: [7] }, /reach beyond its storage of 6/],
    ['is larger than can be counted', { shape: new Array<number>(40).fill(0x7fffffff) }, /reach beyond/],
    ['starts beyond its storage', { shape: [1], offset: 6 }, /reach beyond/],
    ['expands one number to many', { shape: [1_000_000_000], strides: [0] }, /reach beyond/],
    ['has a storage of another length', { shape: [2], size: 5 }, /has 24 bytes, 5 elements need 20/],
    ['has an unknown type', { shape: [6], type: 'ComplexFloatStorage' }, /ComplexFloatStorage is not known/],
    ['has no storage', { shape: [6], key: '9' }, /data\/9, is not in the archive/],
  ])('is refused when a tensor %s', (_, tensor, message) => {
    const file = dictOf([['w', tensorOf({ key: '0', size: 6, ...tensor })]]);
    expect(() => readPytorchCheckpoint(archive(pickle(file), storages))).toThrow(message);
  });

  it('is refused when it has more axes than PyTorch, which would be gone through for every number', () => {
    const shape = new Array<number>(1000).fill(1);
    const strides = shape.map((_, axis) => axis);
    const many = tensorOf({ key: '0', size: 6, shape, strides });
    expect(() => readPytorchCheckpoint(archive(pickle(dictOf([['a', many]])), storages))).toThrow(
      /"a" .*1000 axes/,
    );
  });

  it('cannot make a long message of a long name', () => {
    const name = 'x'.repeat(1e6);
    const entries = ['a', 'b', 'c', name].map((key) => [key, op.global(name, name)] as const);
    const reading = () => readPytorchCheckpoint(archive(pickle(dictOf(entries)), storages));
    expect(reading).toThrow(/^the checkpoint has no tensors.{0,1000}$/);
  });

  it('is refused when its views multiply the file', () => {
    const size = 4096;
    const views = Array.from(
      { length: 60 },
      (_, i) => [`w${i}`, tensorOf({ key: '0', size, shape: [size] })] as const,
    );
    const bytes = archive(pickle(dictOf(views)), { '0': new Uint8Array(4 * size) });
    expect(() => readPytorchCheckpoint(bytes)).toThrow(/too many views/);
  });
});

describe('a damaged file', () => {
  const sound = archive(modelOnly, storages);

  it('is refused when it is not a zip archive', () => {
    expect(() => readPytorchCheckpoint(new Uint8Array(0))).toThrow(/not a zip archive/);
    expect(() => readPytorchCheckpoint(pickle(op.none))).toThrow(/not a zip archive.*PyTorch 1\.6/);
  });

  it('is refused wherever it is cut', () => {
    for (let length = 0; length < sound.length; length += 7) {
      expect(() => readPytorchCheckpoint(sound.subarray(0, length))).toThrow(CheckpointFormatError);
    }
  });

  it('is refused when files lie in one another', () => {
    const bytes = Uint8Array.from(archive(modelOnly, storages));
    const directory = Buffer.from(bytes).indexOf('PK\x01\x02');
    new DataView(bytes.buffer).setUint32(directory + 24, bytes.length + 1, true);
    expect(() => readPytorchCheckpoint(bytes)).toThrow(/its files up to "archive\/data\.pkl" have \d+ bytes/);
  });

  it('is refused when a weight was changed', () => {
    const changed = sound.slice();
    const at = Buffer.from(changed).indexOf(Buffer.from(bytesOf(numbers)));
    changed[at + 5]! ^= 1;
    expect(() => readPytorchCheckpoint(changed)).toThrow(/"archive\/data\/0" has checksum/);
  });

  it('is refused when entries are compressed, doubled, or of another kind of archive', () => {
    expect(() => readPytorchCheckpoint(archive(modelOnly, storages, { method: 8 }))).toThrow(/compressed/);
    const twice = [
      ['a/data.pkl', modelOnly],
      ['a/data.pkl', modelOnly],
    ] as const;
    expect(() => readPytorchCheckpoint(writeZip(twice))).toThrow(/twice/);
    expect(() => readPytorchCheckpoint(writeZip([['word/document.xml', modelOnly]]))).toThrow(/0 files ROOT/);
  });

  it('is refused when its numbers are big-endian', () => {
    const files = [
      ['a/data.pkl', modelOnly],
      ['a/byteorder', Uint8Array.from(Buffer.from('big'))],
    ] as const;
    expect(() => readPytorchCheckpoint(writeZip(files))).toThrow(/big-endian/);
  });
});
