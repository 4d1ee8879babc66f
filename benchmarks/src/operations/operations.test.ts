import { Engine } from '@tubelet/autograd';
import { operationCatalogue } from '@tubelet/autograd/lab';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { expect, it } from 'vitest';
import { measureOperation } from './measure-operation.js';

it('measures errors of an operation, and its time where the table has shapes for it', async () => {
  const runtime = await openNodeRuntime();
  try {
    const engine = new Engine(runtime);
    const add = Object.values(operationCatalogue)
      .flat()
      .find(({ name }) => name === 'add')!;
    const timed = { ...add.timed!, shapes: [[3, 4], [4]] };
    const { errors, times } = await measureOperation(engine, { ...add, timed }, 2);
    expect(errors.value).toBeLessThan(1e-6);
    expect(errors.gradient).toBeGreaterThan(0);
    expect(times!.forward).toBeGreaterThan(0);
    expect(times!.forwardAndBackward).toBeGreaterThan(0);
    const { timed: _, ...untimed } = add;
    expect((await measureOperation(engine, untimed, 1)).times).toBeUndefined();
  } finally {
    closeNodeRuntime(runtime);
  }
});
