import type { Runtime } from '@tubelet/kernels';
import type { Gradients } from './gradients.js';
import type { KeptArrays } from './kept-arrays.js';
import { markSpent } from './spent.js';
import type { Node, Tensor } from './tensor.js';

/** Runs the backward part of operations from the last to the first, and returns memory that no earlier one needs. */
export function walkBack(
  runtime: Runtime,
  nodes: readonly Node[],
  gradients: Gradients,
  kept: KeptArrays,
): void {
  const users = countUsers(nodes);
  const releaseIfDone = ({ array }: Tensor) => {
    const use = users.get(array.storage.id)!;
    const isDone = --use.mentions === 0 && use.isProduced && use.isConsumed;
    if (!isDone || kept.has(array)) return;
    for (const tensor of use.tensors) markSpent(tensor);
    runtime.release(array);
  };
  for (const node of nodes.toReversed()) {
    if (node.outputs.some((tensor) => gradients.has(tensor))) {
      node.backward(gradients);
      gradients.operationDone();
    }
    for (const tensor of node.outputs) gradients.drop(tensor);
    for (const array of node.saved) runtime.release(array);
    node.inputs.forEach(releaseIfDone);
    node.outputs.forEach(releaseIfDone);
  }
}

interface Users {
  readonly tensors: Tensor[];
  mentions: number;
  isProduced: boolean;
  isConsumed: boolean;
}

// An array can be released when every node that mentions it is done, if it was both made and used on the
// tape: leaves belong to their makers, and final results (losses, predictions) to the caller's step.
function countUsers(nodes: readonly Node[]): Map<number, Users> {
  const users = new Map<number, Users>();
  const at = (tensor: Tensor): Users => {
    const id = tensor.array.storage.id;
    let use = users.get(id);
    if (!use) users.set(id, (use = { tensors: [], mentions: 0, isProduced: false, isConsumed: false }));
    use.tensors.push(tensor);
    use.mentions++;
    return use;
  };
  for (const node of nodes) {
    for (const input of node.inputs) at(input).isConsumed = true;
    for (const output of node.outputs) at(output).isProduced = true;
  }
  return users;
}
