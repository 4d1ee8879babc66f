import { evaluate } from './wgsl-expression.js';

/** A real number for a kernel; without it a number is a whole one. */
export interface F32Constant {
  readonly f32: number;
}

/** What changes the code of a kernel: each set of them is a program. Whole numbers become `u32`, others must say `f32`. */
export type WgslConstants = Readonly<Record<string, number | boolean | F32Constant>>;

/** What only changes what a kernel works on: sizes, strides, offsets, scales. */
export type KernelData = Readonly<Record<string, number | F32Constant>>;

/** Marks a real number for a kernel. */
export function f32(value: number): F32Constant {
  return { f32: value };
}

/** What the text of a kernel is made of. */
export interface WgslParts {
  /** Files in the order in which they follow one another. */
  readonly wgsl: readonly string[];
  readonly constants: WgslConstants;
  /** Names of the data, and which of them are real numbers. */
  readonly data: readonly { readonly name: string; readonly isReal: boolean }[];
  /** Names of arrays that a file may speak of; those that are absent make their names false in conditions. */
  readonly arrays: readonly {
    readonly name: string;
    readonly isPresent: boolean;
    readonly isHalf?: boolean;
  }[];
}

/** A complete program. */
export interface GeneratedWgsl {
  readonly wgsl: string;
  /** Of each array that is present, in their order. */
  readonly access: readonly ('read' | 'read_write')[];
}

/**
 * The whole text of a kernel. A file of WGSL may contain, besides WGSL:
 *
 * - names in capitals that the dispatcher gives, as constants or as data (which are members of one uniform `data`);
 * - `var<storage, read> name: …;` without a binding: the array that the dispatcher calls so;
 * - lines `#if CONDITION`, `#else`, `#end` around lines that are left out. A condition is made of names of constants
 * and
 *   arrays (true where the array is given), `name_f16` (where it is given and of f16), `any_f16` (where one is), whole
 *   numbers, `! == != < > <= >= && || + - * / %` and parentheses;
 * - lines `#for I in A..B` and `#end` around lines that are repeated for I = A … B − 1: `I` becomes a number, and `{I}`
 *   one that is part of a name;
 * - `enable …;` anywhere.
 *
 * What is left out leaves an empty line, and what is repeated stays on one line, so that a message about line n of a
 * file that is alone in its program is about line n + 1 of the program: the header takes one.
 *
 * @throws SyntaxError for a line that begins with `#` and is none of these, a block without its end, a name in a
 *   condition that nobody gave, or one that was given twice
 */
export function generateWgsl({ wgsl, constants, data, arrays }: WgslParts): GeneratedWgsl {
  const values = new Map<string, number | boolean>();
  for (const [name, value] of Object.entries(constants)) {
    if (typeof value !== 'object') values.set(name, value);
  }
  for (const { name, isPresent, isHalf = false } of arrays) {
    values.set(name, isPresent);
    values.set(`${name}_f16`, isHalf);
  }
  const anyHalf = arrays.some(({ isHalf }) => isHalf);
  values.set('any_f16', anyHalf);
  const lines = wgsl.join('\n').split('\n');
  const out: string[] = new Array<string>(lines.length).fill('');
  const end = expand(lines, 0, values, (text, line) => (out[line] = text));
  if (end < lines.length) throw new SyntaxError(`WGSL line ${end + 1}: ${lines[end]} ends no block`);

  const enables = new Set<string>(anyHalf ? ['enable f16;'] : []);
  const present = arrays.filter(({ isPresent }) => isPresent).map(({ name }) => name);
  const access: ('read' | 'read_write')[] = [];
  const dataNames = new Set(data.map(({ name }) => name));
  for (const name in constants) {
    if (dataNames.has(name)) throw new SyntaxError(`${name} was given both as a constant and as data`);
  }
  const body = out
    .join('\n')
    .replace(/^enable [^;]*;/gm, (enable) => {
      enables.add(enable);
      return '';
    })
    .replace(/^var<storage, (read|read_write)> (\w+):/gm, (declaration, kind: 'read', name: string) => {
      const binding = present.indexOf(name);
      if (binding < 0) throw new SyntaxError(`WGSL declares an array ${name}, but none was given`);
      access[binding] = kind;
      return `@group(0) @binding(${binding}) ${declaration}`;
    })
    .replace(/\b[A-Z][A-Z0-9_]*\b/g, (name) => (dataNames.has(name) ? `data.${name}` : name));
  for (const [binding, name] of present.entries()) {
    if (!access[binding]) throw new SyntaxError(`an array ${name} was given that no line of WGSL declares`);
  }
  const members = data.map(({ name, isReal }) => `${name}: ${isReal ? 'f32' : 'u32'}`).join(', ');
  const uniform =
    data.length > 0
      ? `struct Data { ${members} } @group(0) @binding(${present.length}) var<uniform> data: Data; `
      : '';
  return { wgsl: `${[...enables].join(' ')} ${uniform}${constantHeader(constants)}\n${body}`, access };
}

type Emit = (text: string, line: number) => void;

// Emits the lines of a block that begins at `start`, or passes over them where there is no `emit`; gives the line of
// the `#else` or `#end` that closes it.
function expand(
  lines: readonly string[],
  start: number,
  values: ReadonlyMap<string, number | boolean>,
  emit: Emit | undefined,
): number {
  let at = start;
  while (at < lines.length) {
    const line = lines[at]!;
    const directive = /^\s*#(.*)$/.exec(line)?.[1]?.trim();
    if (directive === undefined) {
      emit?.(line, at++);
      if (!emit) at++;
      continue;
    }
    if (directive === 'else' || directive === 'end') return at;
    const condition = /^if (.*)$/.exec(directive)?.[1];
    const loop = /^for (\w+) in (.*)\.\.(.*)$/.exec(directive);
    if (condition !== undefined) {
      const isTaken = emit !== undefined && Boolean(evaluate(condition, values));
      at = expand(lines, at + 1, values, isTaken ? emit : undefined);
      if (lines[at]?.trim() === '#else') at = expand(lines, at + 1, values, isTaken ? undefined : emit);
    } else if (loop) {
      const [, name = '', from = '', to = ''] = loop;
      const first = at + 1;
      at = expand(lines, first, values, undefined);
      if (emit) {
        const last = Number(evaluate(to, values));
        const copies: string[] = [];
        for (let i = Number(evaluate(from, values)); i < last; i++) {
          const body: string[] = [];
          expand(lines, first, new Map([...values, [name, i]]), (text) => body.push(text));
          copies.push(withNumber(body, name, i));
        }
        emit(copies.join(' '), first);
      }
    } else {
      throw new SyntaxError(`WGSL line ${at + 1}: ${line.trim()} is not a directive`);
    }
    if (lines[at]?.trim() !== '#end') throw new SyntaxError(`WGSL: #${directive} has no #end`);
    at++;
  }
  return at;
}

function withNumber(lines: readonly string[], name: string, index: number): string {
  return lines
    .map((line) => line.replace(/\/\/.*$/, '').trim())
    .join(' ')
    .replaceAll(`{${name}}`, String(index))
    .replace(new RegExp(`\\b${name}\\b`, 'g'), `${index}u`);
}

/** The declarations that precede a kernel, e.g. `const ROWS: u32 = 101u;`. */
export function constantHeader(constants: WgslConstants): string {
  const header: string[] = [];
  for (const [name, value] of Object.entries(constants)) {
    if (typeof value === 'boolean') header.push(`const ${name}: bool = ${value};`);
    else if (typeof value === 'object') header.push(`const ${name}: f32 = ${f32Literal(name, value.f32)};`);
    else header.push(`const ${name}: u32 = ${requireU32(name, value)}u;`);
  }
  return header.join(' ');
}

/** @throws RangeError for what a kernel cannot take as a whole number */
export function requireU32(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return value;
  throw new RangeError(
    `the number ${name} = ${value} for a kernel is not a u32; wrap it in f32(…) if it is a real number`,
  );
}

const SMALLEST_NORMAL_F32 = 2 ** -126;

/**
 * The f32 nearest to a real number of this name.
 *
 * @throws RangeError where that is infinite, or where a GPU may take it for zero
 */
export function requireF32(name: string, value: number): number {
  const rounded = Math.fround(value);
  const size = Math.abs(rounded);
  if (value === 0 || (size >= SMALLEST_NORMAL_F32 && size < Infinity)) return rounded;
  const fault = !Number.isFinite(rounded)
    ? 'not finite in f32; give a finite one, or an array that holds it'
    : `${size === 0 ? 'zero' : 'subnormal, which GPUs may take for zero,'} in f32; give 0, or at least 2^-126 in size`;
  throw new RangeError(`the number ${name} = ${value} for a kernel is ${fault}`);
}

function f32Literal(name: string, value: number): string {
  const rounded = requireF32(name, value);
  if (rounded === 0) return Object.is(value, -0) ? '-0.0f' : '0.0f';
  const text = String(rounded);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
