import { describe, expect, it } from 'vitest';
import { attributed } from './command-recorder.js';
import { DeviceLostError, KernelValidationError, OutOfMemoryError } from './errors.js';
import { FailureLog, UNATTRIBUTED } from './failure-log.js';
import type { Program } from './program.js';

const vague = new KernelValidationError(UNATTRIBUTED, 'invalid command buffer');
const named = new KernelValidationError('gelu', 'no matching overload');
const lost = new DeviceLostError('unknown', 'driver reset');
const memory = new OutOfMemoryError(1, 2, 'weights');

function thrownBy(log: FailureLog): unknown {
  try {
    log.throwIfFailed();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('FailureLog', () => {
  it.each([
    ['a cause that is told after its consequence', [vague, named], named],
    ['the first of several named kernels', [named, new KernelValidationError('mse', '')], named],
    ['the loss of the device rather than what fails after it', [named, lost, vague], lost],
    ['memory running out rather than the loss that follows', [memory, lost], memory],
  ])('throws %s', (_, errors, expected) => {
    const log = new FailureLog();
    expect(thrownBy(log)).toBeUndefined();
    for (const error of errors) log.record(error);
    expect(thrownBy(log)).toBe(expected);
  });

  it('waits for answers, those asked for meanwhile included', async () => {
    const log = new FailureLog();
    log.expect(Promise.resolve(undefined));
    log.expect(Promise.reject(new Error('the device is lost and gives no answer')));
    await log.settle();
    log.expect(
      Promise.resolve().then(() => {
        log.expect(Promise.resolve().then(() => named));
        return undefined;
      }),
    );
    await expect(log.settle()).rejects.toBe(named);
  });
});

describe('attributed', () => {
  const program = (kernel: string, detail: string) => ({ kernel, detail }) as Program;
  const programs = [program('gelu', '4'), program('gelu', '48'), program('mse', '4')];

  it('finds the program whose label a message quotes', () => {
    const error = attributed(
      '[Buffer] too small. The pipeline ([ComputePipeline "gelu 48"]) requires',
      programs,
    );
    expect(error).toMatchObject({ kernel: 'gelu' });
    expect(error.message).toMatch(/gelu.*48: \[Buffer\] too small/);
  });

  it('takes a program that is merely called invalid for no cause, and lists what may be', () => {
    const error = attributed('[Invalid ComputePipeline "gelu 4"] is invalid.', programs);
    expect(error.kernel).toBe(UNATTRIBUTED);
    expect(error.message).toContain('Recorded kernels: gelu, mse');
  });
});
