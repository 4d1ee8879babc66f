import type { DType, GpuArray, Runtime } from '@tubelet/kernels';

/** Words of an array that clips are worked on in, at the most: larger batches are worked on in parts. */
const SCRATCH_WORDS = 2 ** 24;

/**
 * Works on clips in parts that fit such an array, each in a scope of its own.
 *
 * @param clipWords what each of them takes at the most
 * @param body is given the first clip of a part and the one after its last
 */
export function inParts(
  runtime: Runtime,
  clips: number,
  clipWords: number,
  body: (begin: number, end: number) => void,
): void {
  const perPart = Math.max(Math.floor(SCRATCH_WORDS / clipWords), 1);
  for (let begin = 0; begin < clips; begin += perPart) {
    runtime.scope(() => body(begin, Math.min(begin + perPart, clips)));
  }
}

/** Arrays that calls give back, one for each shape, which the next call for that shape overwrites. */
export class KeptArrays {
  private readonly byShape = new Map<string, GpuArray>();

  constructor(
    private readonly runtime: Runtime,
    private readonly dtype: DType,
    private readonly label: string,
  ) {}

  ofShape(shape: readonly number[]): GpuArray {
    const { runtime, dtype, label, byShape } = this;
    const key = shape.join();
    let array = byShape.get(key);
    if (!array) byShape.set(key, (array = runtime.keep(runtime.empty(shape, dtype, label))));
    return array;
  }

  release(): void {
    for (const array of this.byShape.values()) this.runtime.release(array);
    this.byShape.clear();
  }
}
