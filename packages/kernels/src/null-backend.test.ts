import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelCatalogue } from './lab/catalogue.js';
import type { ArraySpec, GpuArrays, KernelSpec } from './kernel-spec.js';
import { KernelValidationError, NoAdapterError } from './runtime/errors.js';
import { double } from './runtime/double.testing.js';
import { openRuntime } from './runtime/open.js';
import { Runtime, type AdapterSummary, type MatrixUnitConfig } from './runtime/runtime.js';
import { runnableVariants, type Variant } from './runtime/variants.js';
import { openNullRuntime } from './testing/null-runtime.js';

const needs = [
  ...new Set(kernelCatalogue.flatMap(({ variants }) => variants.flatMap((variant) => variant.needs))),
];

const unit = (m: number, n: number, k: number): MatrixUnitConfig => ({
  componentType: 'f16',
  resultComponentType: 'f32',
  m,
  n,
  k,
});

const subgroups = (size: number) => ({ subgroupMinSize: size, subgroupMaxSize: size });

/**
 * Adapters that programs differ for: their kind decides how products are split, units and subgroups the tiles. With
 * units, subgroups are as the backend has them, since it checks workgroups against them.
 */
const adapters: readonly (Partial<AdapterSummary> & { readonly name: string })[] = [
  { name: 'a GPU with 16×16×16 units', isSoftware: false, matrixUnits: [unit(16, 16, 16)] },
  { name: 'a software adapter with 8×8×8 units', isSoftware: true, matrixUnits: [unit(8, 8, 8)] },
  { name: 'a GPU with 8×16×16 units', isSoftware: false, matrixUnits: [unit(8, 16, 16)] },
  { name: 'a software adapter with subgroups of 4', isSoftware: true, ...subgroups(4) },
  { name: 'a software adapter with subgroups of 8', isSoftware: true, ...subgroups(8) },
  { name: 'a GPU with subgroups of 32', isSoftware: false, ...subgroups(32) },
];
const compiled = new Set<Variant>();

/** Has every program of a kernel's cases compiled with every variant; throws for the first that does not. */
async function compileKernel(runtime: Runtime, spec: KernelSpec): Promise<void> {
  const make = (specs: Readonly<Record<string, ArraySpec>>): GpuArrays =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape, dtype }]) => [
        name,
        runtime.empty(shape, dtype ?? 'f32', name),
      ]),
    );
  for (const variant of runnableVariants(runtime, spec.variants)) {
    runtime.forcedVariants.set(spec.name, variant.name);
    try {
      for (const { shape } of spec.cases) {
        runtime.scope(() => spec.run(runtime, shape, make(spec.inputs(shape)), make(spec.outputs(shape))));
      }
      await runtime.synchronize();
      compiled.add(variant);
    } finally {
      runtime.forcedVariants.delete(spec.name);
    }
  }
}

// One device for all adapters: it knows the programs that several have alike.
let opened: Runtime;
beforeAll(async () => {
  opened = await openNullRuntime(needs, {});
});
afterAll(() => opened.destroy());

describe.each(adapters)('on $name every program compiles', (claims) => {
  it.each(kernelCatalogue)('of $name', async (spec) => {
    // A runtime goes on to report its first failure: each kernel has its own.
    const runtime = new Runtime(opened.device, { ...opened.adapter, ...claims });
    const before = runtime.counters.pipelinesCreated;
    await compileKernel(runtime, spec);
    expect(runtime.counters.pipelinesCreated).toBeGreaterThan(before);
    // The null backend has 512 MiB for a device.
    runtime.pool.trim();
  });
});

it('leaves out no variant of any kernel', () => {
  const left = kernelCatalogue.flatMap(({ name, variants }) =>
    variants.filter((variant) => !compiled.has(variant)).map((variant) => `${name}: ${variant.name}`),
  );
  expect(left).toEqual([]);
});

describe('the null backend', () => {
  it('refuses a program whose types do not fit, though it executes none', async () => {
    const runtime = await openNullRuntime(needs, {});
    const [x, y] = [runtime.empty([64]), runtime.empty([64])];
    double(runtime, x, y);
    await runtime.synchronize();
    double(runtime, x, y, { broken: true });
    await expect(runtime.synchronize()).rejects.toThrow(KernelValidationError);
    runtime.destroy();
  });

  it('is never taken for a device to compute on', async () => {
    const { create } = await import('webgpu');
    await expect(openRuntime(create(['backend=null']))).rejects.toThrow(NoAdapterError);
    await expect(openRuntime(create(['backend=null']))).rejects.toThrow(/computes nothing/);
  });
});
