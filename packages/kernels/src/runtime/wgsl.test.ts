import { describe, expect, it } from 'vitest';
import { evaluate } from './wgsl-expression.js';
import { constantHeader, f32, generateWgsl, type WgslParts } from './wgsl.js';

const literal = (value: number) => /= (.*);/.exec(constantHeader({ X: f32(value) }))![1];

describe('constantHeader', () => {
  it('declares whole numbers as u32, flags as bool and f32 as f32', () => {
    expect(constantHeader({ ROWS: 101, LAST: 0xffffffff, ACCUMULATE: true, EPSILON: f32(1e-6) })).toBe(
      'const ROWS: u32 = 101u; const LAST: u32 = 4294967295u; const ACCUMULATE: bool = true; ' +
        'const EPSILON: f32 = 9.999999974752427e-7f;',
    );
  });

  it.each([-1, 1.5, 2 ** 32, Number.NaN])('refuses %d as u32 and names the constant', (value) =>
    expect(() => constantHeader({ ROWS: value })).toThrow(`ROWS = ${value} for a kernel is not a u32`),
  );

  it('writes literals that WGSL reads as f32', () => {
    expect(literal(2)).toBe('2.0f');
    expect(literal(-0.5)).toBe('-0.5f');
    expect(literal(0)).toBe('0.0f');
    expect(literal(-0)).toBe('-0.0f');
    expect(literal(1e21)).toBe('1.0000000200408773e+21f');
    expect(literal(3.4028234663852886e38)).toBe('3.4028234663852886e+38f');
    expect(literal(2 ** -126)).toBe('1.1754943508222875e-38f');
  });

  it('refuses numbers that f32 does not hold', () => {
    expect(() => literal(1e39)).toThrow('X = 1e+39 for a kernel is not finite in f32');
    expect(() => literal(Number.NaN)).toThrow('finite');
    expect(() => literal(1e-40)).toThrow('subnormal');
    expect(() => literal(1e-60)).toThrow('zero in f32');
  });
});

describe('generateWgsl', () => {
  const generate = (text: string, parts: Partial<WgslParts> = {}) => {
    const { wgsl, access } = generateWgsl({ wgsl: [text], constants: {}, data: [], arrays: [], ...parts });
    const [header, ...lines] = wgsl.split('\n');
    return { header: header!.trim(), lines, access };
  };

  it('leaves out what a condition excludes, and keeps the numbers of lines', () => {
    const text = 'a\n#if WIDE && !bias\nb\n#else\nc\n#end\nd';
    const arrays = (isPresent: boolean) => [{ name: 'bias', isPresent }];
    const without = generate(text, { constants: { WIDE: true }, arrays: arrays(false) });
    expect(without.lines).toEqual(['a', '', 'b', '', '', '', 'd']);
    expect(
      generate(`${text}\nvar<storage, read> bias: array<f32>;`, {
        constants: { WIDE: true },
        arrays: arrays(true),
      }).lines.slice(0, 7),
    ).toEqual(['a', '', '', '', 'c', '', 'd']);
  });

  it('passes over directives inside of what is left out', () => {
    const text = '#if ROWS > 8\n#for I in 0..UNKNOWN\nx\n#end\n#if ALSO\ny\n#else\nz\n#end\n#else\nw\n#end';
    expect(generate(text, { constants: { ROWS: 8 } }).lines.join('')).toBe('w');
  });

  it('repeats lines on one line, with the number as a value and in names', () => {
    const text =
      '#for I in 0..ROWS / 4\nlet x{I} = f(I); // of I\n#for J in I..2\ng(x{I}, J);\n#end\n#end\nend';
    expect(generate(text, { constants: { ROWS: 8 } }).lines).toEqual([
      '',
      'let x0 = f(0u); g(x0, 0u); g(x0, 1u); let x1 = f(1u); g(x1, 1u);',
      '',
      '',
      '',
      '',
      'end',
    ]);
    expect(generate('#for I in 0..0\nx\n#end\ny').lines.join('')).toBe('y');
  });

  it('numbers the arrays that are given, and tells how each is used', () => {
    const text = 'var<storage, read_write> out: array<f32>;\n#if b\nvar<storage, read> b: array<f32>;\n#end';
    const arrays = [
      { name: 'a', isPresent: false },
      { name: 'b', isPresent: true },
      { name: 'out', isPresent: true },
    ];
    const { lines, access } = generate(text, { arrays });
    expect(lines[0]).toBe('@group(0) @binding(1) var<storage, read_write> out: array<f32>;');
    expect(lines[2]).toBe('@group(0) @binding(0) var<storage, read> b: array<f32>;');
    expect(access).toEqual(['read', 'read_write']);
  });

  it('makes data members of a uniform behind the arrays', () => {
    const { header, lines } = generate('let x = COUNT * SCALE + COUNTS;', {
      data: [
        { name: 'COUNT', isReal: false },
        { name: 'SCALE', isReal: true },
      ],
    });
    expect(header).toBe(
      'struct Data { COUNT: u32, SCALE: f32 } @group(0) @binding(0) var<uniform> data: Data;',
    );
    expect(lines).toEqual(['let x = data.COUNT * data.SCALE + COUNTS;']);
  });

  it('puts extensions first, each once', () => {
    const { header, lines } = generate('enable f16;\nx\nenable f16;\nenable subgroups;');
    expect(header).toBe('enable f16; enable subgroups;');
    expect(lines).toEqual(['', 'x', '', '']);
  });

  it.each([
    ['#if A\nx', /#if A has no #end/],
    ['x\n#end', /line 2: #end ends no block/],
    ['#unless A\n#end', /line 1: #unless A is not a directive/],
    ['#if MISSING\n#end', /"MISSING": MISSING is neither a number nor a name that was given/],
    ['var<storage, read> x: array<f32>;', /declares an array x, but none was given/],
  ])('refuses %j', (text, message) =>
    expect(() => generate(text, { constants: { A: true } })).toThrow(message),
  );

  it('refuses a name that is both a constant and data', () =>
    expect(() => generate('x', { constants: { ROWS: 1 }, data: [{ name: 'ROWS', isReal: false }] })).toThrow(
      'ROWS was given both',
    ));

  it('refuses an array that the text does not declare', () =>
    expect(() => generate('x', { arrays: [{ name: 'spare', isPresent: true }] })).toThrow(
      /array spare was given/,
    ));
});

describe('evaluate', () => {
  const values = new Map<string, number | boolean>([
    ['A', true],
    ['N', 7],
  ]);

  it.each([
    ['N', 7],
    ['!A || N == 7u', true],
    ['A && N < 7', false],
    ['(N + 1) * 2 - N / 2 % 2', 15],
    ['1 + 2 * 3 >= 7 && !(N != 7)', true],
  ])('%s is %s', (text, expected) => expect(evaluate(text, values)).toBe(expected));

  it.each(['', 'A +', '(N', 'N N', 'a.b', '1 = 1'])('refuses %j', (text) =>
    expect(() => evaluate(text, values)).toThrow(SyntaxError),
  );
});
