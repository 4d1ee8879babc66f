import type { Engine, Tensor } from '@tubelet/autograd';

/** Results of a forward pass that are compared after the backward pass. */
export class KeptTensors {
  private readonly tensors: Tensor[] = [];

  constructor(private readonly engine: Engine) {}

  keep(tensor: Tensor): Tensor {
    this.tensors.push(tensor);
    return this.engine.keep(tensor);
  }

  /** Gives all of them back. */
  release(): void {
    for (const tensor of this.tensors.splice(0)) this.engine.release(tensor);
  }
}
