import { openRuntime, type CodedFrame, type Runtime } from '@tubelet/kernels';
import { testRandom } from '@tubelet/kernels/lab';
import { joinFrames, squareFrames } from '@tubelet/video/pixels';
import { middleSquare, planesOf, type DecodedFrame } from '../decoded-frame.js';
import { readModelFile, type ModelFile } from '../model-file.js';
import { ExpressionClassifier, Reconstructor } from '../models.js';

/** What both models make of one clip, and its square frames, as plain numbers. */
export type Results = Record<'pixels' | 'prediction' | 'logits' | 'attention', number[]>;

const FRAME: CodedFrame = { width: 300, height: 288, colour: { matrix: 'bt709', fullRange: false } };

/** Frames of a video as a decoder leaves them: larger than the model's, with planes of random bytes. */
function decodedFrames(count: number): DecodedFrame[] {
  const random = testRandom(3);
  const length = 1.5 * FRAME.width * FRAME.height;
  return Array.from({ length: count }, () => ({
    frame: FRAME,
    data: Uint8Array.from({ length }, () => random.integer(256)),
  }));
}

/** Runs the models of two checkpoints on a clip. */
async function resultsOf(
  runtime: Runtime,
  checkpoints: readonly Uint8Array[],
  decode: (frame: DecodedFrame, index: number) => Promise<DecodedFrame>,
): Promise<Results> {
  const files = checkpoints.map((bytes, i) => readModelFile(`checkpoint ${i}`, bytes));
  const reconstructor = new Reconstructor(runtime, ofKind(files, 'pretraining'));
  const classifier = new ExpressionClassifier(runtime, ofKind(files, 'classifier'));
  const { frames, imageSize } = classifier.file.config.encoder;
  const decoded = await Promise.all(decodedFrames(frames).map(decode));
  const squares = joinFrames(decoded.map((frame) => middleSquare(frame, imageSize)));
  const clip = await squareFrames(runtime, squares, imageSize);
  const { prediction } = await reconstructor.reconstruct(clip, 0.75, 5);
  const { logits, attention } = await classifier.classify(clip);
  return {
    pixels: [...clip],
    prediction: [...prediction],
    logits: [...logits],
    attention: [...attention!],
  };
}

/** The results in Node, whose decoders hand over planes. */
export const resultsInNode = (runtime: Runtime, checkpoints: readonly Uint8Array[]): Promise<Results> =>
  resultsOf(runtime, checkpoints, async (frame) => frame);

/** The results in a page, where checkpoints come as text, and frames as the browser's decoder hands them over. */
export async function resultsInPage(base64: readonly string[]): Promise<Results> {
  const runtime = await openRuntime(navigator.gpu);
  const decode = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const results = await resultsOf(runtime, base64.map(decode), throughBrowser);
  runtime.destroy();
  return results;
}

/** Every second frame in each of the two forms that decoders use. */
async function throughBrowser(
  { frame: { width, height }, data }: DecodedFrame,
  index: number,
): Promise<DecodedFrame> {
  const isPaired = index % 2 === 1;
  const frame = new VideoFrame(isPaired ? withPairedChroma(data, width * height) : Uint8Array.from(data), {
    ...{ format: isPaired ? 'NV12' : 'I420', codedWidth: width, codedHeight: height, timestamp: 0 },
    colorSpace: { matrix: 'bt709', fullRange: false, primaries: 'bt709', transfer: 'bt709' },
  });
  const planes = await planesOf(frame);
  frame.close();
  if (!planes) throw new Error('The browser does not hand over planes.');
  return planes;
}

function withPairedChroma(planes: Uint8Array, lumaLength: number): Uint8Array<ArrayBuffer> {
  const paired = Uint8Array.from(planes);
  const count = (planes.length - lumaLength) / 2;
  for (let i = 0; i < count; i++) {
    paired[lumaLength + 2 * i] = planes[lumaLength + i]!;
    paired[lumaLength + 2 * i + 1] = planes[lumaLength + count + i]!;
  }
  return paired;
}

function ofKind<Kind extends ModelFile['kind']>(files: readonly ModelFile[], kind: Kind) {
  return files.find((file) => file.kind === kind) as Extract<ModelFile, { kind: Kind }>;
}
