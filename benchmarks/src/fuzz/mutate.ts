/** Damages sound files in the ways that chance and malice do. */
import fc from 'fast-check';

/** Numbers at which readers go wrong: limits of fields, of arrays and of exact integers. */
const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 40n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

/** Words that mean something to the formats that are read. */
const WORDS = [
  ...[
    '\0',
    '\n',
    '\r\n',
    '"',
    "'",
    ',',
    ':',
    '{',
    '}',
    '[',
    ']',
    '\\',
    '\ufeff',
    '\u2028',
    ' ',
    '\t',
    '#',
    '-',
    '/',
  ],
  ...[
    '../',
    'null',
    '1e999',
    '-1',
    '0.5',
    '99999999999999999999',
    '__proto__',
    'constructor',
    '&a [*a]',
    '*a',
    '<<: *a',
  ],
  ...['!!binary x', '{"a":{"a":1}}', '"\\ud800"', '['.repeat(200), '{"a":'.repeat(200), 'x'.repeat(300)],
].map((word) => Buffer.from(word));

/** Where an edit takes place, as a share of the file: often in its first bytes, where headers are. */
const place = fc.oneof(
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  { weight: 1, arbitrary: fc.nat(200).map((at) => -at) },
);
const length = fc.oneof({ weight: 4, arbitrary: fc.nat(16) }, { weight: 1, arbitrary: fc.nat(4096) });

const edit = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('byte' as const), place, value: fc.nat(255) }),
  fc.record({
    kind: fc.constant('number' as const),
    place,
    value: fc.constantFrom(...EXTREMES),
    bytes: fc.constantFrom(2, 4, 8),
    bigEndian: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('cut' as const), place }),
  fc.record({ kind: fc.constant('remove' as const), place, length }),
  fc.record({ kind: fc.constant('repeat' as const), place, length, times: fc.nat(3) }),
  fc.record({ kind: fc.constant('move' as const), place, to: place, length }),
  fc.record({ kind: fc.constant('insert' as const), place, bytes: fc.uint8Array({ maxLength: 12 }) }),
  fc.record({ kind: fc.constant('word' as const), place, word: fc.constantFrom(...WORDS) }),
  fc.record({ kind: fc.constant('digits' as const), place, value: fc.constantFrom(...EXTREMES) }),
);
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

const at = (bytes: Uint8Array, where: number) =>
  where < 0 ? Math.min(-where, bytes.length) : Math.min(Math.floor(where * bytes.length), bytes.length);

function splice(bytes: Uint8Array, begin: number, removed: number, inserted: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, begin), inserted, bytes.subarray(begin + removed)]);
}

/** The run of digits at or behind a place; of no length where there is none. */
function digitsFrom(bytes: Uint8Array, begin: number): [begin: number, length: number] {
  const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;
  let first = begin;
  while (first < bytes.length && !isDigit(bytes[first])) first++;
  let end = first;
  while (isDigit(bytes[end])) end++;
  return [first, end - first];
}

function apply(bytes: Uint8Array, step: Edit): Uint8Array {
  const begin = at(bytes, step.place);
  switch (step.kind) {
    case 'flip':
    case 'byte': {
      if (begin >= bytes.length) return bytes;
      const changed = Uint8Array.from(bytes);
      changed[begin] = step.kind === 'flip' ? (bytes[begin] as number) ^ (1 << step.bit) : step.value;
      return changed;
    }
    case 'number': {
      const field = Buffer.alloc(8);
      if (step.bigEndian)
        field.writeBigUInt64BE((step.value << BigInt(64 - 8 * step.bytes)) & (2n ** 64n - 1n));
      else field.writeBigUInt64LE(step.value);
      return splice(bytes, begin, step.bytes, field.subarray(0, step.bytes));
    }
    case 'cut':
      return bytes.subarray(0, begin);
    case 'remove':
      return splice(bytes, begin, step.length, Buffer.alloc(0));
    case 'repeat': {
      const piece = bytes.subarray(begin, begin + step.length);
      return splice(bytes, begin, 0, Buffer.concat(new Array<Uint8Array>(step.times).fill(piece)));
    }
    case 'move':
      return splice(bytes, at(bytes, step.to), 0, bytes.subarray(begin, begin + step.length));
    case 'insert':
      return splice(bytes, begin, 0, step.bytes);
    case 'word':
      return splice(bytes, begin, 0, step.word);
    case 'digits': {
      const [first, count] = digitsFrom(bytes, begin);
      return splice(bytes, first, count, Buffer.from(String(step.value)));
    }
  }
}

/** One of the files with a few edits; now and then as it is, and now and then nothing of it. */
export function damaged(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edited = fc
    .tuple(fc.nat(files.length - 1), fc.array(edit, { maxLength: 5 }))
    .map(([file, edits]) => edits.reduce(apply, files[file] as Uint8Array));
  return fc.oneof(
    { weight: 20, arbitrary: edited },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  );
}

/** Of JSON; `structuredClone` has too little stack for what is nested deeply. */
const copyOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const deep = (depth: number): unknown => {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

/** What may stand in place of any value. */
const other = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', [], {}, -1, 0, 0.5, 1e15, 2 ** 40, 2 ** 31, 2 ** 53, 1e308, -0),
  fc.constantFrom<unknown>('x'.repeat(20_000), '../../etc', 'a\0b', '\ud800', '__proto__', 'NaN', '1e999'),
  fc.constantFrom<unknown>([1, 2, 3], [[]], [null], new Array(3000).fill(7), deep(50), deep(3000)),
  fc.jsonValue({ maxDepth: 2 }),
);

const change = fc.record({
  path: fc.array(fc.nat(1000), { minLength: 1, maxLength: 6 }),
  kind: fc.constantFrom('replace', 'remove', 'add', 'rename'),
  value: other,
  key: fc.constantFrom('__proto__', 'constructor', 'toString', 'length', '', 'x', '0', '-1', '1e9'),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

type Container = Record<string, unknown> | unknown[];
const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

function changeValue(root: unknown, { path, kind, value, key }: Change): unknown {
  if (!isContainer(root)) return copyOf(value);
  let target: Container = root;
  let name = '';
  for (const [i, step] of path.entries()) {
    const names = Object.keys(target);
    name = names[step % Math.max(1, names.length)] ?? '';
    const below = (target as Record<string, unknown>)[name];
    if (i === path.length - 1 || !isContainer(below)) break;
    target = below;
  }
  const put = (into: string) =>
    Object.defineProperty(target, into, {
      value: copyOf(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  if (Array.isArray(target)) {
    const index = Number(name === '' ? 0 : name);
    if (kind === 'replace') target[index] = copyOf(value);
    else if (kind === 'remove') target.splice(index, 1);
    else target.splice(index, 0, copyOf(value));
  } else if (kind === 'replace') put(name);
  else if (kind === 'add') put(key);
  else {
    const old = target[name];
    delete target[name];
    if (kind === 'rename')
      Object.defineProperty(target, key, { value: old, enumerable: true, configurable: true });
  }
  return root;
}

/** One of the values, some of whose parts are others: JSON that is well formed and says what it should not. */
export function changed(values: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.nat(values.length - 1), fc.array(change, { maxLength: 3 }))
    .map(([index, changes]) => changes.reduce(changeValue, copyOf(values[index])));
}
