import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import { normals } from '../../testing/random.js';
import { mixClips, mixClipsCost, mixClipsVariants, type Mix } from './mix-clips.js';

interface MixShape {
  readonly clips: number;
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  readonly mix: Mix;
}

const cases: readonly KernelCase<MixShape>[] = [
  {
    name: 'an empty box',
    kind: 'edge',
    shape: {
      ...{ clips: 2, planes: 1, height: 3, width: 5 },
      mix: { lambda: 1, box: { top: 3, bottom: 3, left: 0, right: 5 } },
    },
  },
  {
    name: 'clips of 160×160, mixup',
    kind: 'model',
    shape: { clips: 2, planes: 48, height: 160, width: 160, mix: { lambda: 0.3 } },
  },
  {
    name: 'clips of 160×160, CutMix',
    kind: 'model',
    shape: {
      ...{ clips: 2, planes: 48, height: 160, width: 160 },
      mix: { lambda: 0.75, box: { top: 20, bottom: 100, left: 0, right: 80 } },
    },
  },
];

const size = ({ clips, planes, height, width }: MixShape) => clips * planes * height * width;

export const mixClipsKernel = defineKernel<MixShape>({
  name: 'mix-clips',
  summary: 'mixup and CutMix of a batch with its reverse, in place',
  variants: mixClipsVariants,
  cases,
  randomShape: (random) => {
    const [height, width] = [1 + random.integer(40), 1 + random.integer(40)];
    const [top, left] = [random.integer(height), random.integer(width)];
    const bottom = top + random.integer(height - top + 1);
    const right = left + random.integer(width - left + 1);
    const lambda = random.uniform();
    return {
      ...{ clips: 2 * (1 + random.integer(3)), planes: 1 + random.integer(4), height, width },
      mix: random.integer(2) ? { lambda } : { lambda, box: { top, bottom, left, right } },
    };
  },
  inputs: () => ({}),
  outputs: (shape) => ({
    clips: {
      shape: [shape.clips, shape.planes, shape.height, shape.width],
      initial: normals(size(shape)),
    },
  }),
  run: (runtime, { mix }, _, { clips }) => mixClips(runtime, clips!, mix),
  reference: (shape, { clips }) => {
    const { planes, height, width, mix } = shape;
    const clipValues = planes * height * width;
    return {
      clips: clips!.map((own, i) => {
        const other = clips![(shape.clips - 1 - 2 * Math.floor(i / clipValues)) * clipValues + i]!;
        if (!mix.box) return mix.lambda * own + (1 - mix.lambda) * other;
        const { top, bottom, left, right } = mix.box;
        const [x, y] = [i % width, Math.floor(i / width) % height];
        return y >= top && y < bottom && x >= left && x < right ? other : own;
      }),
    };
  },
  cost: (shape) => mixClipsCost(size(shape)),
});
