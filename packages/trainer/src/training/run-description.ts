import { formatProfile, type KernelObserver, type Runtime } from '@tubelet/kernels';
import { gpuBindingsVersion } from '@tubelet/kernels/node';
import { variantsInHalf } from '@tubelet/kernels/tuning';
import type { Ffmpeg } from '@tubelet/video';
import type { RunConfig } from '../run/run-folder.js';
import { describeTuning } from './tuning.js';

/** What a run's configuration says about software and GPU. */
export function describeEnvironment(
  runtime: Runtime,
  { kind, version }: Pick<Ffmpeg, 'kind' | 'version'>,
  programVersion: string,
): Pick<RunConfig, 'versions' | 'adapter' | 'tuning' | 'f16Variants' | 'startedAt'> {
  const { adapter } = runtime;
  return {
    versions: {
      tubelet: programVersion,
      node: process.versions.node,
      webgpu: gpuBindingsVersion(),
      ffmpeg: `${version} (${kind})`,
    },
    adapter: { ...adapter } as unknown as RunConfig['adapter'],
    tuning: describeTuning(runtime),
    f16Variants: variantsInHalf(runtime),
    startedAt: new Date().toISOString(),
  };
}

/** What to tell the user who goes on with a run on another GPU than the one it was begun on; else nothing. */
export function otherAdapterNote(
  { adapter }: Pick<RunConfig, 'adapter'>,
  runtime: Runtime,
): string | undefined {
  const { description } = runtime.adapter;
  if (adapter.description === description) return undefined;
  return (
    `this run was begun on ${JSON.stringify(adapter.description)}: on ${JSON.stringify(description)} ` +
    'its numbers may differ in the last digits'
  );
}

/** Times the kernels of all steps but the first, in which they are compiled. */
export class StepProfile {
  private running = false;

  /**
   * @param table whether to say at the end what each kernel took
   * @param onKernels is told when they ran
   */
  constructor(
    private readonly runtime: Runtime,
    private readonly table: boolean,
    private readonly startStep: number,
    private readonly onKernels?: KernelObserver,
  ) {}

  /** To be called before every step with the number of steps begun so far. */
  beforeStep(begunSteps: number): void {
    const isWanted = this.table || this.onKernels !== undefined;
    if (isWanted && begunSteps === this.startStep + 1) {
      this.running = this.runtime.startProfiling(this.onKernels);
    }
  }

  /** Ends it: gives the table, or why there is none; undefined where none is wanted. */
  async text(completedSteps: number): Promise<string | undefined> {
    const entries = this.running ? await this.runtime.stopProfiling() : [];
    if (!this.table && this.onKernels === undefined) return undefined;
    const missing = this.table ? 'no profile' : 'no kernels in the trace';
    if (!this.runtime.hasFeature('timestamp-query')) {
      return `${missing}: this adapter has no timestamps (timestamp-query)`;
    }
    const first = this.startStep + 2;
    if (!this.running || completedSteps < first) {
      return `${missing}: the first step is left out, and there was no other`;
    }
    return this.table ? `steps ${first} to ${completedSteps}\n${formatProfile(entries)}` : undefined;
  }
}
