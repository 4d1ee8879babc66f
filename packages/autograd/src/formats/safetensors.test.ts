import { describe, expect, it } from 'vitest';
import { SafetensorsError, type SafetensorsTensor } from './safetensors-header.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  encodeSafetensorsChunks,
  readSafetensorsHeader,
  readSafetensorsTensor,
  safetensorsFloat32,
  type ByteReader,
} from './safetensors.js';

const ALL_DTYPES = new Map<string, SafetensorsTensor>([
  ['f32', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(0, -1.5, Infinity, NaN, 1e-45, 3.25) }],
  ['f64', { dtype: 'F64', shape: [2], data: Float64Array.of(Math.PI, -0) }],
  ['f16', { dtype: 'F16', shape: [3], data: Uint16Array.of(0x3c00, 0xc000, 0x0001) }],
  ['i64', { dtype: 'I64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) }],
  ['i32', { dtype: 'I32', shape: [1], data: Int32Array.of(-7) }],
  ['u32', { dtype: 'U32', shape: [], data: Uint32Array.of(4_000_000_000) }],
  ['u8', { dtype: 'U8', shape: [5], data: Uint8Array.of(1, 2, 3, 4, 5) }],
  ['bool', { dtype: 'BOOL', shape: [1, 2], data: Uint8Array.of(1, 0) }],
  ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) }],
  ['é "quoted" {name}', { dtype: 'U8', shape: [1], data: Uint8Array.of(9) }],
]);

/** A file with any header, right or wrong. */
function file(header: unknown, dataLengthBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLengthBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function failure(bytes: Uint8Array): SafetensorsError {
  try {
    decodeSafetensors(bytes);
  } catch (error) {
    if (error instanceof SafetensorsError) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

function readerOf(bytes: Uint8Array): ByteReader {
  return {
    lengthBytes: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
  };
}

describe('encodeSafetensors and decodeSafetensors', () => {
  it('give back every dtype, shape and metadata entry', () => {
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(ALL_DTYPES, { step: '12', a: 'ü' }));
    expect(metadata).toEqual({ step: '12', a: 'ü' });
    expect(new Set(tensors.keys())).toEqual(new Set(ALL_DTYPES.keys()));
    for (const [key, tensor] of ALL_DTYPES) expect(tensors.get(key), key).toEqual(tensor);
  });

  it('writes the bytes that the format prescribes', () => {
    const bytes = encodeSafetensors(new Map([['w', { dtype: 'U8', shape: [2], data: Uint8Array.of(5, 6) }]]));
    const json = '{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}';
    const padded = json.padEnd(56, ' ');
    expect(json.length).toBeGreaterThan(48);
    expect([...bytes]).toEqual([56, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(padded), 5, 6]);
  });

  it('gives equal bytes for equal content in another order', () => {
    const reversed = new Map([...ALL_DTYPES].reverse());
    expect(encodeSafetensors(reversed, { b: '2', a: '1' })).toEqual(
      encodeSafetensors(ALL_DTYPES, { a: '1', b: '2' }),
    );
  });

  it('aligns every tensor and decodes it without a copy', () => {
    const bytes = encodeSafetensors(ALL_DTYPES);
    for (const [key, { data }] of decodeSafetensors(bytes).tensors) {
      expect(data.byteOffset % data.BYTES_PER_ELEMENT, key).toBe(0);
      if (data.length > 0) expect(data.buffer, key).toBe(bytes.buffer);
    }
  });

  it('copies where the bytes of a Buffer are not aligned, whose slices are views', () => {
    const bytes = encodeSafetensors(ALL_DTYPES);
    const shifted = Buffer.alloc(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeSafetensors(shifted.subarray(1)).tensors).toEqual(decodeSafetensors(bytes).tensors);
  });

  it('copies where the bytes are not aligned', () => {
    const shifted = new Uint8Array(encodeSafetensors(ALL_DTYPES).length + 1).subarray(1);
    shifted.set(encodeSafetensors(ALL_DTYPES));
    const { tensors } = decodeSafetensors(shifted);
    for (const [key, tensor] of ALL_DTYPES) expect(tensors.get(key), key).toEqual(tensor);
    expect(tensors.get('f64')?.data.buffer).not.toBe(shifted.buffer);
  });

  it('hands out views on the tensors rather than one array', () => {
    const { lengthBytes, chunks } = encodeSafetensorsChunks(ALL_DTYPES);
    expect(lengthBytes).toBe(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    const buffers = new Set([...ALL_DTYPES.values()].map(({ data }) => data.buffer));
    for (const chunk of chunks.slice(1)) expect(buffers.has(chunk.buffer)).toBe(true);
  });

  it('decodes bfloat16 to float32', () => {
    const bytes = file({ x: { dtype: 'BF16', shape: [3], data_offsets: [0, 6] } }, 6);
    const bits = [0x3f80, 0xc049, 0x7f80];
    bits.forEach((half, i) => new DataView(bytes.buffer).setUint16(bytes.length - 6 + 2 * i, half, true));
    expect(decodeSafetensors(bytes).tensors.get('x')).toEqual({
      dtype: 'F32',
      shape: [3],
      data: Float32Array.of(1, -3.140625, Infinity),
    });
  });
});

describe('what is not a safetensors file', () => {
  const entry = (begin: number, end: number) => ({
    dtype: 'U8',
    shape: [end - begin],
    data_offsets: [begin, end],
  });

  it.each<[string, Uint8Array, string | null, string]>([
    ['an empty file', new Uint8Array(0), null, 'too short'],
    ['a header length beyond the file', file({}, 0).subarray(0, 9), null, 'header length 2 is out of range'],
    ['an absurd header length', new Uint8Array(16).fill(255), null, 'exceeds'],
    ['a header that is not JSON', file('{"a":', 0), null, 'not JSON'],
    ['a header that is not UTF-8', file({}, 0).fill(0xff, 8), null, 'not JSON'],
    ['a header that is a list', file([], 0), null, 'not a JSON object'],
    ['an unknown dtype', file({ x: { ...entry(0, 4), dtype: 'F8' } }, 4), 'x', 'dtype "F8"'],
    ['a negative size', file({ x: { ...entry(0, 4), shape: [-4] } }, 4), 'x', 'shape [-4]'],
    ['a fractional size', file({ x: { ...entry(0, 4), shape: [1.5] } }, 4), 'x', 'shape [1.5]'],
    [
      'a shape beyond counting',
      file({ x: { ...entry(0, 4), shape: [2 ** 40, 2 ** 40] } }, 4),
      'x',
      'counted',
    ],
    ['a length that is not the shape', file({ x: { ...entry(0, 4), shape: [5] } }, 4), 'x', 'needs 5 bytes'],
    [
      'offsets of a wrong kind',
      file({ x: { ...entry(0, 4), data_offsets: [0] } }, 4),
      'x',
      'data_offsets [0]',
    ],
    ['data out of range', file({ x: entry(0, 5) }, 4), 'x', 'out of range'],
    ['an overlap', file({ x: entry(0, 4), y: entry(3, 6) }, 6), 'y', 'overlaps "x"'],
    ['a gap', file({ x: entry(0, 4), y: entry(5, 6) }, 6), 'y', 'gap after "x"'],
    ['trailing bytes', file({ x: entry(0, 4) }, 6), null, '2 trailing bytes'],
    ['an entry that is not an object', file({ x: 3 }, 0), 'x', 'not an object'],
    ['an unknown field', file({ x: { ...entry(0, 4), strides: [1] } }, 4), 'x', 'strides'],
    ['metadata that is not text', file({ __metadata__: { a: 1 } }, 0), '__metadata__', 'strings'],
  ])('%s', (_, bytes, key, problem) => {
    const error = failure(bytes);
    expect(error.key).toBe(key);
    expect(error.message).toContain(problem);
  });

  it('is told of in few words, however much it says', () => {
    const many = 'x'.repeat(1e5);
    const entry = { dtype: 'U8', shape: [1], data_offsets: [0, 1] };
    const deep = `${'['.repeat(1e5)}${']'.repeat(1e5)}`;
    for (const header of [
      { [many]: { ...entry, dtype: 'F32' } },
      { a: { ...entry, dtype: many } },
      { a: { ...entry, shape: new Array(1e5).fill(-1) } },
      { a: { ...entry, [many]: 1 } },
      `{"a":{"dtype":${deep},"shape":[1],"data_offsets":[0,1]}}`,
    ]) {
      const decoding = () => decodeSafetensors(file(header, 1));
      expect(decoding).toThrow(SafetensorsError);
      expect(decoding).toThrow(/^.{0,1000}$/s);
    }
  });

  it('and a key of many megabytes is still a key', () => {
    const key = 'x'.repeat(2e7);
    const { tensors } = decodeSafetensors(
      file({ [key]: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }, 1),
    );
    expect(tensors.has(key)).toBe(true);
  });

  it('a key that occurs twice, however it is written', () => {
    const one = JSON.stringify(entry(0, 4));
    expect(failure(file(`{"ab":${one},"ab":${one}}`, 4))).toMatchObject({ key: 'ab' });
    expect(failure(file(`{"ab":${one},"\\u0061b" :${one}}`, 4))).toMatchObject({ key: 'ab' });
    expect(
      failure(file('{"x":{"dtype":"U8","shape":[4],"dtype":"U8","data_offsets":[0,4]}}', 4)),
    ).toMatchObject({ key: 'dtype' });
  });

  it('a file cut short anywhere', () => {
    const bytes = encodeSafetensors(ALL_DTYPES);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length)), `${length} bytes`).toThrow(SafetensorsError);
    }
  });
});

describe('tensors that cannot be written', () => {
  it.each<[string, SafetensorsTensor, string]>([
    ['x', { dtype: 'F32', shape: [3], data: new Float32Array(2) }, 'needs 3 elements, data has 2'],
    [
      'x',
      { dtype: 'F32', shape: [2], data: new Float64Array(2) },
      'F32 cannot be written from a Float64Array',
    ],
    ['x', { dtype: 'F32', shape: [NaN], data: new Float32Array(2) }, 'shape'],
    ['__metadata__', { dtype: 'F32', shape: [2], data: new Float32Array(2) }, 'reserved'],
  ])('%s: %o', (key, tensor, problem) => {
    expect(() => encodeSafetensors(new Map([[key, tensor]]))).toThrow(problem);
  });
});

describe('reading by ranges', () => {
  it('gives what decoding the whole gives', async () => {
    const bytes = encodeSafetensors(ALL_DTYPES, { step: '3' });
    const reader = readerOf(bytes);
    const header = await readSafetensorsHeader(reader);
    expect(header.metadata).toEqual({ step: '3' });
    for (const [key, tensor] of ALL_DTYPES) {
      expect(await readSafetensorsTensor(reader, header, key), key).toEqual(tensor);
    }
    await expect(readSafetensorsTensor(reader, header, 'none')).rejects.toThrow('"none"');
  });

  it('takes offsets beyond 4 GiB', async () => {
    const gib = 2 ** 30;
    const head = file(
      {
        big: { dtype: 'U8', shape: [5, gib], data_offsets: [0, 5 * gib] },
        last: { dtype: 'F32', shape: [1], data_offsets: [5 * gib, 5 * gib + 4] },
      },
      0,
    );
    const end = new Uint8Array(Float32Array.of(2.5).buffer);
    const reader: ByteReader = {
      lengthBytes: head.length + 5 * gib + 4,
      read: (offset, length) =>
        Promise.resolve(offset < head.length ? head.slice(offset, offset + length) : end.slice(0, length)),
    };
    const header = await readSafetensorsHeader(reader);
    expect(header.entries.get('last')?.offsetBytes).toBe(head.length + 5 * gib);
    expect((await readSafetensorsTensor(reader, header, 'last')).data).toEqual(Float32Array.of(2.5));
  });
});

describe('safetensorsFloat32', () => {
  it('converts half precision: normal, subnormal, signed zero, infinite, not a number', () => {
    const data = Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x03ff, 0x8000, 0x7bff, 0x7c00, 0xfc00, 0x7e00);
    expect(safetensorsFloat32('x', { dtype: 'F16', shape: [9], data })).toEqual(
      Float32Array.of(1, -2.5, 2 ** -24, 1023 * 2 ** -24, -0, 65504, Infinity, -Infinity, NaN),
    );
  });

  it('rounds doubles, passes float32 through, refuses integers', () => {
    expect(safetensorsFloat32('x', { dtype: 'F64', shape: [1], data: Float64Array.of(0.1) })[0]).toBe(
      Math.fround(0.1),
    );
    const data = Float32Array.of(1);
    expect(safetensorsFloat32('x', { dtype: 'F32', shape: [1], data })).toBe(data);
    expect(() => safetensorsFloat32('ids', { dtype: 'I32', shape: [1], data: Int32Array.of(1) })).toThrow(
      '"ids": dtype I32',
    );
  });
});
