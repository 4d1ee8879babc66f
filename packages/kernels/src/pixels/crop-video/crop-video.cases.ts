import { defineKernel, type KernelCase } from '../../kernel-spec.js';
import { streamPurpose } from '../../philox/philox.js';
import {
  cropRecord,
  CROP_RECORD,
  cropVideo,
  cropVideoCost,
  cropVideoVariants,
  neighbourWords,
  type Noise,
} from './crop-video.js';
import { cropVideoReference } from './crop-video.reference.js';

interface CropShape {
  readonly clips: number;
  readonly frames: number;
  /** Edge of the frames and of the video. */
  readonly size: number;
}

const cases: readonly KernelCase<CropShape>[] = [
  { name: 'one pixel', kind: 'edge', shape: { clips: 1, frames: 1, size: 1 } },
  { name: 'clips of 160×160', kind: 'model', shape: { clips: 2, frames: 16, size: 160 } },
];

const PURPOSE = streamPurpose(17);

/** Boxes of several sizes; every second clip is mirrored, and every second has noise. */
function clipOf({ size }: CropShape, clip: number) {
  const width = Math.max(Math.floor((size * (5 - (clip % 4))) / 5), 1);
  const height = Math.max(Math.floor((size * (4 - (clip % 3))) / 4), 1);
  const box = { x: (size - width) >> 1, y: size - height, width, height };
  const edge = size >> 1;
  const noise: Noise = {
    ...{ x: edge >> 1, y: 0, width: edge, height: edge },
    ...{ key: { seed: 2 ** 40 + 7, epoch: 3, sample: clip }, firstBlock: 5 + clip },
  };
  return { box, mirrored: clip % 2 === 1, noise: clip % 2 === 0 ? noise : undefined };
}

const tablesOf = (shape: CropShape) =>
  Array.from({ length: shape.clips }, (_, clip) => {
    const { box, mirrored } = clipOf(shape, clip);
    return [...neighbourWords(box.width, shape.size, mirrored), ...neighbourWords(box.height, shape.size)];
  }).flat();

const pixelsOf = ({ clips, frames, size }: CropShape) => clips * frames * size * size;

export const cropVideoKernel = defineKernel<CropShape>({
  name: 'crop-video',
  summary: 'a box of frames as a normalised video: resized, mirrored, erased by noise',
  variants: cropVideoVariants,
  cases,
  randomShape: (random) => ({
    clips: 1 + random.integer(4),
    frames: 1 + random.integer(3),
    size: 2 + random.integer(40),
  }),
  inputs: (shape) => ({
    pixels: {
      shape: [pixelsOf(shape)],
      dtype: 'u32',
      fill: (random) => Uint32Array.from({ length: pixelsOf(shape) }, () => random.integer(2 ** 24)),
    },
    jobs: {
      shape: [shape.clips * shape.frames, CROP_RECORD],
      dtype: 'u32',
      fill: () =>
        Uint32Array.from(
          Array.from({ length: shape.clips * shape.frames }, (_, i) => {
            const [clip, frame] = [Math.floor(i / shape.frames), i % shape.frames];
            const { box, noise } = clipOf(shape, clip);
            const { frames, size } = shape;
            return cropRecord({
              ...{ source: (i * size + box.y) * size + box.x, clip, frame, frames, noise },
              ...{ width: size, height: size, columns: clip * 4 * size, rows: clip * 4 * size + 2 * size },
            });
          }).flat(),
        ),
    },
    table: {
      shape: [tablesOf(shape).length],
      dtype: 'u32',
      fill: () => Uint32Array.from(tablesOf(shape)),
    },
  }),
  outputs: ({ clips, frames, size }) => ({ video: { shape: [clips, 3, frames, size, size] } }),
  run: (runtime, { size }, { pixels, jobs, table }, { video }) =>
    cropVideo(runtime, {
      ...{ pixels: pixels!, rowPixels: size, jobs: jobs!, table: table!, video: video! },
      purpose: PURPOSE,
    }),
  reference: (shape, { pixels }) => ({
    video: Float64Array.from(
      Array.from({ length: shape.clips }, (_, clip) => {
        const { box, mirrored, noise } = clipOf(shape, clip);
        const area = shape.size ** 2;
        const frames = Array.from({ length: shape.frames }, (__, frame) => {
          const first = (clip * shape.frames + frame) * area;
          return pixels!.subarray(first, first + area);
        });
        return cropVideoReference(frames, shape.size, box, { size: shape.size, mirrored }, noise, PURPOSE);
      }).flat(),
    ),
  }),
  // Of the noise: WGSL allows sines an error of 2⁻¹¹ = 4.9e-4, and SwiftShader uses half of it.
  tolerance: 5e-4,
  cost: ({ clips, frames, size }) => cropVideoCost(clips * frames, size, size),
});
