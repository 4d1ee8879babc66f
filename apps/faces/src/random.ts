/** Random numbers of the faces: one stream for each thing that is drawn, so that none depends on another. */
import { PhiloxStream, streamPurpose } from '@tubelet/kernels';

/** Drawn faces; `epoch` tells what of a face, `sample` which person or clip. */
const FACE_PURPOSE = streamPurpose(13);

/** What of a face a stream is for: the `epoch` of its key. The numbers are part of what makes a data set repeatable. */
const ASPECT = { person: 0, scene: 1, expression: 2, noise: 3, folds: 4 } as const;

export class FaceRandom {
  private readonly stream: PhiloxStream;

  /**
   * @param sample the person or clip
   * @throws RangeError for a seed that is not an integer in [0, 2^53)
   */
  constructor(seed: number, aspect: keyof typeof ASPECT, sample: number) {
    this.stream = new PhiloxStream({ seed, purpose: FACE_PURPOSE, epoch: ASPECT[aspect], sample });
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.stream.uniform();
  }

  normal(): number {
    return this.stream.normal();
  }

  /** Uniform over 0 … n − 1. */
  below(n: number): number {
    return this.stream.integer(n);
  }

  chance(probability: number): boolean {
    return this.stream.uniform() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.stream.integer(choices.length)] as T;
  }

  shuffle<T>(items: T[]): T[] {
    return this.stream.shuffle(items);
  }
}
