/** A number that a header declares as `f32` even when it is whole. */
export interface F32Constant {
  readonly f32: number;
}

/** Values that a dispatcher can put in front of a kernel: whole numbers become `u32`, others must say `f32`. */
export type WgslConstants = Readonly<Record<string, number | boolean | F32Constant>>;

/** Declares an f32 constant for a kernel header. */
export function f32(value: number): F32Constant {
  return { f32: value };
}

/** The `const` lines that precede a kernel, e.g. `const ROWS: u32 = 101u;`. */
export function constantHeader(constants: WgslConstants): string {
  let header = '';
  for (const [name, value] of Object.entries(constants)) {
    if (typeof value === 'boolean') header += `const ${name}: bool = ${value};\n`;
    else if (typeof value === 'object') header += `const ${name}: f32 = ${f32Literal(value.f32)};\n`;
    else if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) {
      header += `const ${name}: u32 = ${value}u;\n`;
    } else {
      throw new RangeError(
        `kernel constant ${name} = ${value} is not a u32; wrap it in f32(…) if it is a real number`,
      );
    }
  }
  return header;
}

const SMALLEST_NORMAL_F32 = 2 ** -126;

function f32Literal(value: number): string {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) throw new RangeError(`a kernel constant must be a finite f32, got ${value}`);
  if (rounded !== 0 && Math.abs(rounded) < SMALLEST_NORMAL_F32) {
    throw new RangeError(`the kernel constant ${value} is subnormal in f32: GPUs may take it for zero`);
  }
  if (rounded === 0) {
    if (value !== 0) throw new RangeError(`the kernel constant ${value} is zero in f32`);
    return Object.is(value, -0) ? '-0.0f' : '0.0f';
  }
  const text = String(rounded);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
