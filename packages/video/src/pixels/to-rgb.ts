import { codedFrameBytes } from '@tubelet/kernels';
import { planesToRgb, turnFrame } from './planes.js';
import { resizeBilinear } from './resize.js';
import { shownSize, type CodedFrames } from './coded-frames.js';

/** The frames of a clip on the processor, where no GPU is at hand: [T, size, size, 3], RGB. */
export function toRgb({ bytes, frames }: CodedFrames, size: number): Uint8Array {
  const frameBytes = 3 * size * size;
  const rgb = new Uint8Array(frames.length * frameBytes);
  frames.forEach((frame, i) => {
    const { width, height, colour, rotation, offset } = frame;
    const data = bytes.subarray(offset, offset + codedFrameBytes(frame));
    if (colour === undefined) {
      resizeBilinear(data, width, height, size, size, { target: rgb, targetOffset: i * frameBytes });
      return;
    }
    const planes = { width, height, data };
    const box = { x: 0, y: 0, ...shownSize(frame) };
    const target = new Uint8ClampedArray(rgb.buffer, i * frameBytes, frameBytes);
    planesToRgb(rotation === 0 ? planes : turnFrame(planes, rotation), colour, box, size, target);
  });
  return rgb;
}
