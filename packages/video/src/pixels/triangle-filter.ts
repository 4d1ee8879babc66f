/** The triangle filter that Pillow calls bilinear: it widens where it shrinks an image. */

/** For each output position: its first input position, how many inputs it sums, and their weights. */
export interface Filter {
  first: Int32Array;
  count: Int32Array;
  /** [outputLength, maximumCount]; those of one output add up to 1. */
  weights: Float64Array;
  maximumCount: number;
}

export interface FilterShape {
  /** Inputs there are; none beyond them is summed. */
  length: number;
  /** Where the outputs begin, in inputs, and how many inputs they span; neither need be whole. */
  start: number;
  span: number;
  outputLength: number;
}

function makeFilter({ length, start, span, outputLength }: FilterShape): Filter {
  const scale = span / outputLength;
  const support = Math.max(scale, 1);
  const maximumCount = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputLength);
  const count = new Int32Array(outputLength);
  const weights = new Float64Array(outputLength * maximumCount);
  for (let x = 0; x < outputLength; x++) {
    const centre = start + (x + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - support + 0.5), 0);
    let end = Math.min(Math.trunc(centre + support + 0.5), length);
    // Where nothing is scaled, the second of two inputs has no weight.
    if (end - 1 > begin && end - 0.5 - centre >= support) end--;
    let sum = 0;
    for (let i = begin; i < end; i++) {
      const weight = Math.max(0, 1 - Math.abs((i - centre + 0.5) / support));
      weights[x * maximumCount + i - begin] = weight;
      sum += weight;
    }
    first[x] = begin;
    count[x] = end - begin;
    for (let k = 0; k < end - begin; k++) {
      weights[x * maximumCount + k] = (weights[x * maximumCount + k] as number) / sum;
    }
  }
  return { first, count, weights, maximumCount };
}

const filters = new Map<string, Filter>();
const FILTER_LIMIT = 256;

/** The filter of a shape, made once as long as few shapes are in use. */
export function triangleFilter(shape: FilterShape): Filter {
  const key = `${shape.length}:${shape.start}:${shape.span}:${shape.outputLength}`;
  let filter = filters.get(key);
  if (filter === undefined) {
    if (filters.size >= FILTER_LIMIT) filters.clear();
    filter = makeFilter(shape);
    filters.set(key, filter);
  }
  return filter;
}
