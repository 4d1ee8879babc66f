/** From the weights of a published checkpoint to those of the classifier to be fine-tuned. */
import { StateDictMismatchError } from '@tubelet/autograd';
import { CheckpointFormatError, type SafetensorsTensor } from '@tubelet/autograd/formats';

/** What becomes of a head that does not fit. */
export interface FinetuneStateDictOptions {
  /**
   * What to do with a classification head of another shape, that is, of another class count: leave it out, so that
   * the model keeps its fresh one (the default), or throw a `StateDictMismatchError`.
   */
  readonly otherHead?: 'leave-out' | 'refuse';
}

/** The weights of a checkpoint that a classifier takes, and what became of the others. */
export interface FinetuneStateDict {
  /** The tensors that the model takes, under its own names. */
  readonly tensors: Map<string, SafetensorsTensor>;
  /** Names of `tensors`. */
  readonly matched: readonly string[];
  /** Parameters of the model that the checkpoint has nothing for: they keep their initial values. */
  readonly missing: readonly string[];
  /** Tensors of the checkpoint (under their names after renaming) that the model has no use for. */
  readonly unused: readonly string[];
  /** Parts of the head that were left out because of their shape, as `head.bias [11] instead of [7]`. */
  readonly leftOutHead: readonly string[];
}

const HEAD = ['head.weight', 'head.bias'];
const PREFIXES = ['backbone.', 'encoder.'];

const equalShapes = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((extent, axis) => extent === b[axis]);

/** The name in the classifier of a parameter: without `backbone.` or else `encoder.` in front of it. */
function classifierName(name: string): string {
  const prefix = PREFIXES.find((candidate) => name.startsWith(candidate));
  return prefix === undefined ? name : name.slice(prefix.length);
}

/**
 * Fits the weights of a checkpoint, pre-trained or fine-tuned, to the classifier, by the published rule: a head of
 * another shape is left out, `backbone.` or `encoder.` is taken off the names, and what then has a name of the model
 * is used. Of a pre-trained checkpoint the decoder, the mask token and the encoder's last norm remain unused, and the
 * classifier's `fc_norm` and `head` missing.
 *
 * @param tensors the state dict, see `readPytorchCheckpoint`
 * @param shapes names and shapes of the classifier's parameters
 * @throws StateDictMismatchError when a tensor other than the head has another shape than the model's, or the head
 *   and `otherHead` is `refuse`
 * @throws CheckpointFormatError when two tensors end up under the same name
 */
export function finetuneStateDict(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  shapes: ReadonlyMap<string, readonly number[]>,
  { otherHead = 'leave-out' }: FinetuneStateDictOptions = {},
): FinetuneStateDict {
  const taken = new Map<string, SafetensorsTensor>();
  const sources = new Map<string, string>();
  const unused: string[] = [];
  const leftOutHead: string[] = [];
  const misshapen: string[] = [];
  for (const [sourceName, tensor] of tensors) {
    const name = classifierName(sourceName);
    const other = sources.get(name);
    if (other !== undefined) {
      throw new CheckpointFormatError(
        `the checkpoint has ${JSON.stringify(other)} and ${JSON.stringify(sourceName)}, which are the same parameter of ` +
          'the classifier; remove one of them',
      );
    }
    sources.set(name, sourceName);
    const shape = shapes.get(name);
    if (shape === undefined) unused.push(name);
    else if (equalShapes(tensor.shape, shape)) taken.set(name, tensor);
    else {
      const difference = `${name} [${tensor.shape.join(', ')}] instead of [${shape.join(', ')}]`;
      if (HEAD.includes(sourceName) && otherHead === 'leave-out') leftOutHead.push(difference);
      else misshapen.push(difference);
    }
  }
  if (misshapen.length > 0) throw new StateDictMismatchError([], [], misshapen);
  const missing = [...shapes.keys()].filter((name) => !taken.has(name));
  return { tensors: taken, matched: [...taken.keys()], missing, unused, leftOutHead };
}
