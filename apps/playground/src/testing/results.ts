import { openRuntime, type Runtime } from '@tubelet/kernels';
import { testRandom } from '@tubelet/kernels/lab';
import { readModelFile, type ModelFile } from '../model-file.js';
import { ExpressionClassifier, Reconstructor } from '../models.js';

/** What both models make of one clip, as plain numbers. */
export type Results = Record<'prediction' | 'logits' | 'attention', number[]>;

/** Runs the models of two checkpoints on a clip of random pixels. */
export async function resultsOf(runtime: Runtime, checkpoints: readonly Uint8Array[]): Promise<Results> {
  const files = checkpoints.map((bytes, i) => readModelFile(`checkpoint ${i}`, bytes));
  const reconstructor = new Reconstructor(runtime, ofKind(files, 'pretraining'));
  const classifier = new ExpressionClassifier(runtime, ofKind(files, 'classifier'));
  const { frames, imageSize } = classifier.file.config.encoder;
  const random = testRandom(3);
  const clip = Uint8Array.from({ length: frames * imageSize ** 2 * 3 }, () => random.integer(256));
  const { prediction } = await reconstructor.reconstruct(clip, 0.75, 5);
  const { logits, attention } = await classifier.classify(clip);
  return { prediction: [...prediction], logits: [...logits], attention: [...attention!] };
}

/** The same in a page, where checkpoints come as text. */
export async function resultsInPage(base64: readonly string[]): Promise<Results> {
  const runtime = await openRuntime(navigator.gpu);
  const decode = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const results = await resultsOf(runtime, base64.map(decode));
  runtime.destroy();
  return results;
}

function ofKind<Kind extends ModelFile['kind']>(files: readonly ModelFile[], kind: Kind) {
  return files.find((file) => file.kind === kind) as Extract<ModelFile, { kind: Kind }>;
}
