import type { Precision, Runtime } from '@tubelet/kernels';
import { paperDecoder, type EncoderConfig } from '@tubelet/mae-dfer';
import { median } from '../kernels/batch-timer.js';
import { ModelSteps } from '../model/measure-trainer.js';
import { MASK_RATIO, type Task } from '../model/workload.js';
import type { Part } from './budget.js';
import type { Pytorch } from './pytorch.js';
import type { Form, StepRow } from './report.js';

/** A step that is measured in all forms. */
export interface StepSetting {
  readonly model: string;
  readonly encoder: EncoderConfig;
  readonly task: Task;
  readonly clips: number;
}

export interface StepSources {
  /** A device for each precision that it can compute in. */
  readonly runtimes: Readonly<Partial<Record<Precision, Runtime>>>;
  readonly pytorch: Pytorch | undefined;
  /** Turns of each form. */
  readonly rounds: number;
  /** About how long a turn lasts. */
  readonly turnMs: number;
}

export interface MeasuredSteps {
  readonly rows: readonly StepRow[];
  readonly profiles: Readonly<Record<string, string>>;
}

/** The forms of PyTorch, the important ones first, each with that of ours that it takes turns with. */
const pytorchForms = [
  { form: 'PyTorch, bf16', beside: 'f16', precision: 'bf16', compiled: false },
  { form: 'PyTorch, TF32', beside: 'f32', precision: 'tf32', compiled: false },
  { form: 'PyTorch compiled, bf16', beside: 'f16', precision: 'bf16', compiled: true },
  { form: 'PyTorch compiled, TF32', beside: 'f32', precision: 'tf32', compiled: true },
] as const;

/** What compiling takes before any was seen, in seconds. */
const COMPILE_SECONDS = 30;

/** Measures a step of ours and of PyTorch's, turn by turn, so that clocks and neighbours are those of both. */
export async function measureSteps(
  settings: readonly StepSetting[],
  sources: StepSources,
  part: Part,
): Promise<MeasuredSteps> {
  const rows: StepRow[] = [];
  const profiles: Record<string, string> = {};
  let compileSeconds = COMPILE_SECONDS;
  for (const [i, setting] of settings.entries()) {
    const { model, task, clips } = setting;
    const name = `${model}, ${task}, ${clips} clips`;
    if (!part.allows(name)) continue;
    const until = part.left - part.left / (settings.length - i);
    const own = new Map<Precision, OwnSteps>();
    try {
      for (const precision of ['f32', 'f16'] as const) {
        const runtime = sources.runtimes[precision];
        if (!runtime) continue;
        console.error(`${name}: ${precision} …`);
        const opened = await part.attempt(`${name}, ${precision}`, () =>
          OwnSteps.open(runtime, setting, sources),
        );
        if (opened) own.set(precision, opened);
      }
      await part.attempt(name, async () => {
        for (let round = 0; round < sources.rounds; round++) for (const one of own.values()) await one.turn();
      });
      for (const { form, beside, precision, compiled } of pytorchForms) {
        const { pytorch } = sources;
        if (!pytorch) break;
        const ours = own.get(beside) ?? own.get('f32');
        if (compiled && part.left - until < compileSeconds) {
          part.leaveOut(`${name}, ${form}`, 'no time was left to compile');
          continue;
        }
        console.error(`${name}: ${form} …`);
        const begin = part.left;
        const row = await part.attempt(`${name}, ${form}`, async () => {
          const { peakBytes } = await pytorch.openModel({
            ...{ encoder: setting.encoder, decoder: paperDecoder, task, clips },
            ...{ maskRatio: MASK_RATIO, precision, compiled },
          });
          if (compiled) compileSeconds = begin - part.left;
          try {
            const { seconds, oursOverThis } = await takeTurns(pytorch, ours, sources);
            const peak = peakBytes === null ? {} : { peakBytes };
            return { model, task, clips, form: form as Form, seconds, ...peak, ...oursOverThis };
          } finally {
            // Its memory is needed, whatever went wrong.
            await pytorch.closeModel();
          }
        });
        if (row) rows.push(row);
      }
      for (const [precision, one] of own) {
        await part.attempt(`${name}, ${precision}`, async () => {
          rows.push({ model, task, clips, form: precision, ...one.result() });
          const profile = i === 0 ? await one.steps.profile() : undefined;
          if (profile !== undefined) profiles[`${name}, ${precision}`] = profile;
        });
      }
    } finally {
      for (const one of own.values()) await one.steps.release();
    }
  }
  return { rows, profiles };
}

/** Rounds of a turn of ours and one of PyTorch's. */
async function takeTurns(
  pytorch: Pytorch,
  ours: OwnSteps | undefined,
  { rounds, turnMs }: StepSources,
): Promise<{ readonly seconds: number; readonly oursOverThis: { readonly oursOverThis?: number } }> {
  const steps = stepsOfTurn(await pytorch.take(1), turnMs);
  const [times, ratios]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const own = await ours?.turn();
    const seconds = await pytorch.take(steps);
    times.push(seconds);
    if (own !== undefined) ratios.push(own / seconds);
  }
  return { seconds: median(times), oursOverThis: ratios.length > 0 ? { oursOverThis: median(ratios) } : {} };
}

function stepsOfTurn(seconds: number, turnMs: number): number {
  return Math.max(2, Math.min(20, Math.round(turnMs / 1000 / seconds)));
}

/** A model of ours in memory. */
class OwnSteps {
  private readonly times: number[] = [];

  private constructor(
    readonly steps: ModelSteps,
    private readonly stepsOfTurn: number,
    private readonly peakBytes: number,
  ) {}

  static async open(runtime: Runtime, setting: StepSetting, { turnMs }: StepSources): Promise<OwnSteps> {
    runtime.pool.resetPeak();
    const { encoder, task, clips } = setting;
    const steps = new ModelSteps(runtime, { encoder, task, batchSize: clips });
    try {
      const seconds = await steps.warmUp();
      return new OwnSteps(steps, stepsOfTurn(seconds, turnMs), runtime.pool.peakBytes);
    } catch (error) {
      await steps.release();
      throw error;
    }
  }

  /** Median seconds of the steps of one turn. */
  async turn(): Promise<number> {
    const seconds = await this.steps.takeAsRun(this.stepsOfTurn);
    this.times.push(...seconds);
    return median(seconds);
  }

  result(): { readonly seconds: number; readonly peakBytes: number } {
    return { seconds: median(this.times), peakBytes: this.peakBytes };
  }
}
