import type { AdapterSummary } from '@tubelet/kernels';
import type { KernelRow } from '../kernels/report.js';
import type { Roofline } from '../kernels/roofline.js';
import type { LoaderResult } from '../loader/measure-loader.js';
import type { Task } from '../model/workload.js';

/** What a report was made on. */
export interface Machine {
  readonly adapter: AdapterSummary;
  /** Short, for the names of files: `nvidia-h100-80gb-hbm3`. */
  readonly slug: string;
  /** What nvidia-smi says of the driver and, while the GPU works, of its clocks; undefined without it. */
  readonly driver?: string;
  readonly clocks?: string;
  readonly commit: string;
  /** Whether sources differed from the commit; undefined where there is no repository to ask. */
  readonly isModified?: boolean;
  /** Day, as 2026-11-29. */
  readonly date: string;
  readonly node: string;
  /** Version of Dawn's bindings. */
  readonly dawn: string;
  readonly platform: string;
  readonly cores: number;
}

/** Variants that the device ran on cases of their kernel, held to float64. */
export interface VariantCheck {
  readonly kernel: string;
  readonly variant: string;
  readonly cases: number;
  /** The largest error, over its tolerance. */
  readonly worst: number;
  /** What was wrong, a line each. */
  readonly wrong: readonly string[];
}

/** What takes steps: `f32` and `f16` are ours. */
export const forms = [
  'f32',
  'f16',
  'PyTorch, TF32',
  'PyTorch, bf16',
  'PyTorch compiled, TF32',
  'PyTorch compiled, bf16',
] as const;
export type Form = (typeof forms)[number];

/** A step of a model as one of the forms takes it. */
export interface StepRow {
  readonly model: string;
  readonly task: Task;
  readonly clips: number;
  readonly form: Form;
  /** Median, of steps in a row that are not waited for. */
  readonly seconds: number;
  readonly peakBytes?: number;
  /** Of PyTorch: how long our step in the same rounds took over its own, f32 beside TF32 and f16 beside bf16. */
  readonly oursOverThis?: number;
}

export interface PytorchAbout {
  readonly torch: string;
  readonly cuda: string | null;
  readonly device: string;
  readonly agreement: {
    readonly compared: number;
    readonly worst: { readonly what: string; readonly error: number; readonly bound: number };
    readonly wrong: readonly string[];
  };
}

/** A training of `tubelet pretrain`, from videos to checkpoint. */
export interface TrainingRun {
  readonly command: string;
  readonly precision: 'f32' | 'f16';
  readonly clips: number;
  readonly steps: number;
  /** Of the second half of the steps, from one end to the next. */
  readonly clipsPerSecond: number;
  /** Share of that time which steps waited for clips. */
  readonly waitedForData: number;
}

/** What Dawn's toggles do to a step. */
export interface Ablation {
  readonly toggles: readonly string[];
  readonly precision: 'f32' | 'f16';
  readonly seconds: number;
  /** Median of the rounds, over that of none in the same round. */
  readonly overNone: number;
}

/** All that one run of the command found out; what is absent was not measured, and `leftOut` says why. */
export interface GpuReport {
  readonly machine: Machine;
  /** What was asked for: a short report says nothing of speed. */
  readonly isShort: boolean;
  readonly seconds: number;
  readonly checks: readonly VariantCheck[];
  readonly pytorch?: PytorchAbout;
  readonly steps: readonly StepRow[];
  /** Time of a step by kernel, as text, under what it is of. */
  readonly profiles: Readonly<Record<string, string>>;
  readonly roofline?: Roofline;
  readonly kernels: readonly KernelRow[];
  readonly loaders: readonly LoaderResult[];
  readonly run?: TrainingRun;
  readonly ablations: readonly Ablation[];
  readonly leftOut: readonly string[];
  /** What ended with an error, a line each. */
  readonly failed: readonly string[];
}

/** Whether all that was compared was right, and nothing failed. */
export function isSound({ checks, kernels, pytorch, failed }: GpuReport): boolean {
  return (
    failed.length === 0 &&
    checks.every(({ wrong }) => wrong.length === 0) &&
    kernels.every(({ check }) => check.passed) &&
    (pytorch?.agreement.wrong.length ?? 0) === 0
  );
}
