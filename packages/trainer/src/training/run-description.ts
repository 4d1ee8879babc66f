import { formatProfile, type Runtime } from '@tubelet/kernels';
import { gpuBindingsVersion } from '@tubelet/kernels/node';
import { variantsInHalf } from '@tubelet/kernels/tuning';
import type { Ffmpeg } from '@tubelet/video';
import type { RunConfig } from '../run-folder.js';
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

  constructor(
    private readonly runtime: Runtime,
    private readonly wanted: boolean,
    private readonly startStep: number,
  ) {}

  /** To be called after every step with the number of steps completed. */
  onCompleted(steps: number): void {
    if (this.wanted && steps === this.startStep + 1) this.running = this.runtime.startProfiling();
  }

  /** The table, or why there is none; undefined where none is wanted. */
  async text(completedSteps: number): Promise<string | undefined> {
    if (!this.wanted) return undefined;
    if (!this.runtime.hasFeature('timestamp-query')) {
      return 'no profile: this adapter has no timestamps (timestamp-query)';
    }
    const first = this.startStep + 2;
    if (!this.running || completedSteps < first) {
      return 'no profile: it leaves out the first step, and there was no other';
    }
    return `steps ${first} to ${completedSteps}\n${formatProfile(await this.runtime.stopProfiling())}`;
  }
}
