import { kernelCatalogue } from '@tubelet/kernels/lab';

/** An array of the reference and, after a backward pass, its gradient. */
export interface Value {
  readonly data: Float64Array;
  gradient?: Float64Array;
}

/**
 * A tape in double precision over the references of the kernels, whose derivatives are held against differences by
 * the kernels' own tests; only products are written out here, in loops that engines of JavaScript run quickly.
 */
export class Float64Tape {
  private readonly backwards: (() => void)[] = [];

  /** The (first) output of the kernel of this name on these inputs. */
  apply(kernel: string, shape: object, inputs: Readonly<Record<string, Value>>): Value {
    const spec = kernelCatalogue.find(({ name }) => name === kernel);
    if (!spec?.referenceBackward)
      throw new RangeError(`there is no differentiable kernel "${kernel}" in the catalogue`);
    const data = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value.data]));
    // Kernels with statistics for their backward pass give those after their result.
    const [[name, values]] = Object.entries(spec.reference(shape, data)) as [[string, Float64Array]];
    const output: Value = { data: values };
    this.backwards.push(() => {
      if (!output.gradient) return;
      const gradients = spec.referenceBackward!(shape, data, { [name]: output.gradient });
      for (const [name, value] of Object.entries(inputs)) addGradient(value, gradients[name]!);
    });
    return output;
  }

  /** x [m, k] · weight [k, n], plus `bias` [n] to every row. */
  product(x: Value, weight: Value, { n, bias }: { readonly n: number; readonly bias?: Value }): Value {
    const k = weight.data.length / n;
    const m = x.data.length / k;
    const output: Value = { data: new Float64Array(m * n) };
    for (let i = 0; i < m; i++) {
      const row = output.data.subarray(i * n, (i + 1) * n);
      if (bias) row.set(bias.data);
      for (let l = 0; l < k; l++)
        addScaled(row, x.data[i * k + l]!, weight.data.subarray(l * n, (l + 1) * n));
    }
    this.backwards.push(() => {
      if (!output.gradient) return;
      const dx = new Float64Array(x.data.length);
      const dWeight = new Float64Array(weight.data.length);
      const dBias = new Float64Array(n);
      for (let i = 0; i < m; i++) {
        const dRow = output.gradient.subarray(i * n, (i + 1) * n);
        addScaled(dBias, 1, dRow);
        for (let l = 0; l < k; l++) {
          dx[i * k + l] = dot(dRow, weight.data.subarray(l * n, (l + 1) * n));
          addScaled(dWeight.subarray(l * n, (l + 1) * n), x.data[i * k + l]!, dRow);
        }
      }
      addGradient(x, dx);
      addGradient(weight, dWeight);
      if (bias) addGradient(bias, dBias);
    });
    return output;
  }

  /** a + b, element by element. */
  add(a: Value, b: Value): Value {
    const output: Value = { data: a.data.map((value, i) => value + b.data[i]!) };
    this.backwards.push(() => {
      if (!output.gradient) return;
      addGradient(a, output.gradient);
      addGradient(b, output.gradient);
    });
    return output;
  }

  /** The exact GELU. */
  gelu(x: Value): Value {
    return this.apply('gelu', { count: x.data.length }, { x });
  }

  /** out[i] = x[indices[i]] */
  gather(x: Value, indices: Uint32Array): Value {
    const output: Value = { data: Float64Array.from(indices, (index) => x.data[index]!) };
    this.backwards.push(() => {
      if (!output.gradient) return;
      const gradient = new Float64Array(x.data.length);
      output.gradient.forEach((value, i) => (gradient[indices[i]!]! += value));
      addGradient(x, gradient);
    });
    return output;
  }

  /** The parts one after the other. */
  concatenate(parts: readonly Value[]): Value {
    const length = parts.reduce((sum, { data }) => sum + data.length, 0);
    const output: Value = { data: new Float64Array(length) };
    let offset = 0;
    for (const { data } of parts) {
      output.data.set(data, offset);
      offset += data.length;
    }
    this.backwards.push(() => {
      if (!output.gradient) return;
      let start = 0;
      for (const part of parts) {
        addGradient(part, output.gradient.subarray(start, start + part.data.length));
        start += part.data.length;
      }
    });
    return output;
  }

  /** Gradients of all that `output` was made from, for this gradient of `output`. */
  backward(output: Value, gradient: Float64Array): void {
    addGradient(output, gradient);
    for (const backward of this.backwards.reverse()) backward();
  }
}

/** target += factor · values */
function addScaled(target: Float64Array, factor: number, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * values[i]!;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addGradient(value: Value, gradient: Float64Array): void {
  value.gradient = value.gradient
    ? value.gradient.map((before, i) => before + gradient[i]!)
    : gradient.slice();
}
