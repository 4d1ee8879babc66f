/** Reference values of the published method's transforms, and random numbers that are all known. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { AugmentOperationName } from '../rand-augment.js';
import type { RandomNumbers } from '../random.js';
import type { RgbImage } from './rgb-image.js';

interface Stored {
  shape: number[];
  gzipBase64: string;
}

interface Reference {
  trainFrameIndices: { frameCount: number; step: number; start: number | null; indices: number[] }[];
  testFrameIndices: { frameCount: number; step: number; clips: number[][] }[];
  augmentSource: Stored;
  augmented: ({ name: AugmentOperationName; argument?: number } & Stored)[];
  magnitudes: Record<AugmentOperationName, Record<string, number | null>>;
  cropResizes: ({ box: { x: number; y: number; width: number; height: number } } & Stored)[];
  mixup: {
    labels: number[];
    clips: Stored;
    draws: {
      lambda: number;
      drawnLambda: number;
      box: { top: number; bottom: number; left: number; right: number } | null;
      outputSha256: string;
      targets: number[];
    }[];
  };
}

export const transformReference = JSON.parse(
  readFileSync(new URL('../fixtures/transforms.json', import.meta.url), 'utf8'),
) as Reference;

const bytesOf = ({ gzipBase64 }: Stored) => new Uint8Array(gunzipSync(Buffer.from(gzipBase64, 'base64')));

export function storedImage(stored: Stored): RgbImage {
  const [height, width] = stored.shape as [number, number];
  return { pixels: bytesOf(stored), width, height };
}

export const storedFloats = (stored: Stored) => new Float32Array(bytesOf(stored).buffer);

/** Random numbers from lists, each used once and in order. */
export function scripted(script: {
  uniforms?: number[];
  integers?: number[];
  normals?: number[];
}): RandomNumbers {
  const next = (values: number[] | undefined, kind: string) => {
    const value = values?.shift();
    if (value === undefined) throw new Error(`more ${kind} were drawn than the test gives`);
    return value;
  };
  return {
    uniform: () => next(script.uniforms, 'uniforms'),
    integer: (n) => {
      const value = next(script.integers, 'integers');
      if (value >= n) throw new Error(`the test gives ${value} where an integer below ${n} is drawn`);
      return value;
    },
    normal: () => next(script.normals, 'normals'),
  };
}
