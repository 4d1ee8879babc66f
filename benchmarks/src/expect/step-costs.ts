import { Engine, type Node } from '@tubelet/autograd';
import {
  paperAdapter,
  paperDevice,
  Runtime,
  sumOfCosts,
  type Cost,
  type GpuArray,
  type PaperOptions,
  type SourcedCall,
  type Precision,
} from '@tubelet/kernels';
import type { EncoderConfig } from '@tubelet/mae-dfer';
import { buildWorkload, type ModelRun, type Phase } from '../model/workload.js';

/** One dispatch of a step. */
export interface DispatchCost {
  /** The names of its kernels. */
  readonly kernel: string;
  readonly cost: Cost;
  readonly workgroups: number;
}

/** What a step asks of any machine. */
export interface StepCosts {
  readonly dispatches: readonly DispatchCost[];
  /** 2 · multiply–accumulates + other operations. */
  readonly flops: number;
  /** Read and written, by the kernels' declared costs. */
  readonly bytes: number;
  /** What unfused operations would move at least: see `TapeBytes`. Where blocks run again, it is not known. */
  readonly unfusedBytes: number;
  /** Most memory in use at one time. */
  readonly peakBytes: number;
}

// Variants are chosen as on a discrete GPU, in f16 as on one with matrix units: how work is split into workgroups, and
// how often arrays are read, follows from that.
const GPU = {
  vendor: 'nvidia',
  description: 'a discrete GPU, on paper',
  features: ['subgroups', 'shader-f16'],
};
const DEVICES: Readonly<Record<Precision, PaperOptions>> = {
  f32: { adapter: GPU },
  f16: {
    adapter: {
      ...GPU,
      features: [...GPU.features, 'chromium-experimental-subgroup-matrix'],
      matrixUnits: [{ componentType: 'f16', resultComponentType: 'f32', m: 16, n: 16, k: 16 }],
    },
  },
};

/** A runtime on paper that notes every dispatch. */
class CostRecorder extends Runtime {
  dispatches: DispatchCost[] = [];

  constructor(precision: Precision) {
    super(paperDevice(DEVICES[precision]), paperAdapter(DEVICES[precision]));
    this.precision = precision;
  }

  protected override dispatch(kernels: readonly SourcedCall[]): void {
    super.dispatch(kernels);
    const calls = kernels.map(({ call }) => call);
    const workgroups = calls.map(({ workgroups: [x, y = 1, z = 1] }) => x * y * z);
    this.dispatches.push({
      kernel: calls.map(({ kernel }) => kernel).join(' + '),
      cost: sumOfCosts(calls),
      workgroups: workgroups.reduce((sum, count) => sum + count, 0),
    });
  }
}

/**
 * A tape that adds up what its operations would move, were each to touch each of its arrays exactly once: forward it
 * reads its inputs and writes its results and what it keeps for the backward pass; backward it reads inputs,
 * what it kept and the gradients of its results, and writes those of the inputs that need one. Where
 * operations share a pass, or hand a gradient on in place, a step moves less.
 */
class TapeBytes extends Engine {
  bytes = 0;

  override record(node: Node): void {
    super.record(node);
    const sum = (arrays: readonly GpuArray[]) =>
      arrays.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
    const arraysOf = (tensors: Node['inputs']) => sum(tensors.map(({ array }) => array));
    const [inputs, outputs, kept] = [arraysOf(node.inputs), arraysOf(node.outputs), sum(node.saved)];
    const forward = inputs + outputs + kept;
    const backward =
      inputs + kept + outputs + arraysOf(node.inputs.filter(({ requiresGrad }) => requiresGrad));
    this.bytes += forward + backward;
  }
}

/** AdamW reads weight, gradient and two moments, and writes all but the gradient: seven passes over the parameters. */
const ADAMW_PASSES = 7;

/**
 * Takes one step on paper, in steady state, and writes down what it costs: milliseconds, no GPU, no memory. In f16, blocks
 * store f16, and products and attention on matrix units multiply it.
 */
export async function stepCosts(
  encoder: EncoderConfig,
  options: Pick<ModelRun, 'task' | 'batchSize' | 'recompute'>,
  { phase = 'step', precision = 'f32' }: { readonly phase?: Phase; readonly precision?: Precision } = {},
): Promise<StepCosts> {
  const runtime = new CostRecorder(precision);
  const engine = new TapeBytes(runtime);
  const workload = buildWorkload(engine, encoder, { ...options, weights: 'zeros' });
  // The first step also makes tables that stay.
  for (let i = 0; i < 2; i++) {
    runtime.dispatches = [];
    runtime.ledger.reset();
    engine.bytes = 0;
    await engine.step(() => void workload.record(phase));
  }
  const { macs, flops, bytesRead, bytesWritten } = runtime.ledger.total();
  const optimiserBytes = phase === 'step' ? ADAMW_PASSES * 4 * workload.parameterCount : 0;
  return {
    dispatches: runtime.dispatches,
    flops: 2 * macs + flops,
    bytes: bytesRead + bytesWritten,
    unfusedBytes: engine.bytes + optimiserBytes,
    peakBytes: runtime.pool.peakBytes,
  };
}
