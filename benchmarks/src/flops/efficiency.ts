import type { Runtime } from '@tubelet/kernels';
import {
  regionCount,
  tokenCount,
  vitBase,
  type EncoderConfig,
  type LgiFormerConfig,
} from '@tubelet/mae-dfer';
import { stepCosts } from '../expect/step-costs.js';
import { measureStep } from '../model/measure-model.js';
import type { Task } from '../model/workload.js';
import { textTable } from '@tubelet/trainer/formats';
import { countForward } from './count-flops.js';

/** What a training step of one encoder takes. */
interface StepOf {
  /** Multiply–accumulates count as two here, as they do for GPUs. */
  readonly flops: number;
  readonly peakBytes: number;
  /** Median on this GPU; absent where it was not timed. */
  readonly seconds?: number;
}

/** An LGI-Former beside a ViT-B that takes the same clips. */
export interface Efficiency {
  readonly encoder: LgiFormerConfig;
  readonly batchSize: number;
  /** Of one clip through the classifier, as the paper counts them. */
  readonly forwardFlops: { readonly lgiFormer: number; readonly vit: number };
  /** Products of queries with keys, and of their weights with values, in a block over those of joint attention. */
  readonly attention: { readonly stated: number; readonly counted: number };
  readonly steps: readonly { readonly task: Task; readonly lgiFormer: StepOf; readonly vit: StepOf }[];
}

const TASKS = ['pretrain', 'finetune'] as const;

/**
 * The share of joint attention's K² products that the paper states for K = M · N tokens in M regions of N:
 * 1/M within regions, 1/N² among representative tokens, 1/N between tokens and representatives.
 */
export function statedAttention(encoder: EncoderConfig): number {
  const regions = regionCount(encoder);
  const tokens = tokenCount(encoder) / regions;
  return 1 / regions + 1 / tokens ** 2 + 1 / tokens;
}

/** Multiply–accumulates of attention in a block, over the width: products of one channel. */
async function attentionProducts(encoder: EncoderConfig): Promise<number> {
  const { dispatches } = await stepCosts(encoder, { task: 'finetune', batchSize: 1 }, { phase: 'forward' });
  const macs = dispatches
    .filter(({ kernel }) => kernel === 'attention')
    .reduce((sum, { cost }) => sum + (cost.macs ?? 0), 0);
  return macs / (encoder.depth * encoder.dim);
}

/**
 * Counts on paper what an LGI-Former takes beside ViT-B at an equal batch, and times steps where that is asked for.
 *
 * @param timing the GPU to time steps on, and how many
 */
export async function efficiencyOf(
  runtime: Runtime,
  encoder: LgiFormerConfig,
  batchSize: number,
  timing?: { readonly runtime: Runtime; readonly steps: number },
): Promise<Efficiency> {
  const { frames, imageSize, tubeletSize, patchSize } = encoder;
  const vit = vitBase({ frames, imageSize, tubeletSize, patchSize });
  const stepOf = async (config: EncoderConfig, task: Task): Promise<StepOf> => {
    const { flops, peakBytes } = await stepCosts(config, { task, batchSize });
    if (!timing) return { flops, peakBytes };
    const seconds = await measureStep(timing.runtime, { encoder: config, task, batchSize }, timing);
    return { flops, peakBytes, seconds };
  };
  const steps: Efficiency['steps'][number][] = [];
  for (const task of TASKS) {
    steps.push({ task, lgiFormer: await stepOf(encoder, task), vit: await stepOf(vit, task) });
  }
  return {
    ...{ encoder, batchSize },
    forwardFlops: {
      lgiFormer: (await countForward(runtime, encoder)).flops,
      vit: (await countForward(runtime, vit)).flops,
    },
    attention: {
      stated: statedAttention(encoder),
      counted: (await attentionProducts(encoder)) / (await attentionProducts(vit)),
    },
    steps,
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const less = (ours: number, theirs: number) => percent(1 - ours / theirs);

/** What `bench:flops` prints of it. */
export function formatEfficiency({ encoder, batchSize, forwardFlops, attention, steps }: Efficiency): string {
  const { lgiFormer, vit } = forwardFlops;
  const { dim, region, frames, imageSize } = encoder;
  const rows = steps.flatMap(({ task, lgiFormer: ours, vit: theirs }) => {
    const line = (name: string, value: (step: StepOf) => number, unit: string, digits: number) => [
      ...[task, name, `${value(ours).toFixed(digits)} ${unit}`, `${value(theirs).toFixed(digits)} ${unit}`],
      less(value(ours), value(theirs)),
    ];
    const timed = ours.seconds !== undefined && theirs.seconds !== undefined;
    return [
      line('operations', ({ flops }) => flops / 1e12, 'TFLOP', 3),
      line('memory', ({ peakBytes }) => peakBytes / 1e9, 'GB', 2),
      ...(timed ? [line('time', ({ seconds }) => seconds!, 's', 3)] : []),
    ];
  });
  return [
    `LGI-Former of width ${dim}, regions ${region.join('×')}, beside ViT-B; clips of ${frames} frames of ${imageSize}×${imageSize}`,
    '',
    `encoder of fine-tuning: ${(lgiFormer / 1e9).toFixed(1)} GFLOPs against ${(vit / 1e9).toFixed(1)}, ${less(lgiFormer, vit)} fewer`,
    `products of a block's attention, over joint attention's: ${percent(attention.counted)} counted, ` +
      `${percent(attention.stated)} by 1/M + 1/N² + 1/N for M = ${regionCount(encoder)} regions of ` +
      `N = ${tokenCount(encoder) / regionCount(encoder)} tokens (which leaves the representative tokens out of regions)`,
    '',
    `a training step on ${batchSize} ${batchSize === 1 ? 'clip' : 'clips'}:`,
    textTable([['task', '', 'LGI-Former', 'ViT-B', 'less by'], ...rows], new Set([2, 3, 4])),
  ].join('\n');
}
