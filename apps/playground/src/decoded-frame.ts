import { codedFrameBytes, type CodedFrame } from '@tubelet/kernels';
import { cropBox, keepFrame, keptFrame } from '@tubelet/video/pixels';

/** A frame as its decoder left it. */
export interface DecodedFrame {
  readonly frame: CodedFrame;
  /** As `CodedFrame` describes it. */
  readonly data: Uint8Array;
}

/**
 * The planes of a frame of a video in 4:2:0. Undefined where the browser keeps them to itself, and of frames that are
 * to be turned, mirrored or stretched to be shown.
 */
export async function planesOf(video: VideoFrame): Promise<DecodedFrame | undefined> {
  const { format, visibleRect, displayWidth, displayHeight, colorSpace } = video;
  // What a browser without these two knows of turned frames, it does not tell.
  const { rotation, flip } = video as VideoFrame & { readonly rotation?: number; readonly flip?: boolean };
  if ((format !== 'I420' && format !== 'NV12') || !visibleRect || rotation !== 0 || flip) return undefined;
  const { width, height } = visibleRect;
  if (width !== displayWidth || height !== displayHeight) return undefined;
  const data = new Uint8Array(video.allocationSize());
  await video.copyTo(data);
  if (format === 'NV12') separateChroma(data.subarray(width * height));
  const matrix: string | null = colorSpace.matrix;
  return {
    frame: {
      ...{ width, height },
      colour: {
        // What videos do not say is taken to be as decoders in Node take it.
        matrix: matrix === 'bt709' ? 'bt709' : matrix === 'bt2020-ncl' ? 'bt2020' : 'bt601',
        fullRange: colorSpace.fullRange ?? false,
      },
    },
    data,
  };
}

/** Pairs of U and V to all of U, then all of V. */
function separateChroma(chroma: Uint8Array): void {
  const pairs = chroma.slice();
  const count = chroma.length / 2;
  for (let i = 0; i < count; i++) {
    chroma[i] = pairs[2 * i]!;
    chroma[count + i] = pairs[2 * i + 1]!;
  }
}

/** What a playing video shows, as RGB of its own size. */
export function shownFrame(video: HTMLVideoElement): DecodedFrame {
  const { videoWidth: width, videoHeight: height } = video;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(video, 0, 0);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) data[3 * pixel + channel] = rgba[4 * pixel + channel]!;
  }
  return { frame: { width, height }, data };
}

/** The middle square of a frame: what loaders of videos keep of it for frames of `size`, with their bytes. */
export function middleSquare({ frame, data }: DecodedFrame, size: number): DecodedFrame {
  const box = cropBox('centre', frame.width, frame.height, size);
  const kept = keptFrame(frame, box, size);
  const square = new Uint8Array(codedFrameBytes(kept));
  keepFrame(frame, data, box, size, square);
  return { frame: kept, data: square };
}
