const spent = new WeakSet<object>();

/** Notes that a backward pass has given back the memory of a tensor. */
export const markSpent = (tensor: object): void => void spent.add(tensor);

/** Whether a backward pass has given back the memory of a tensor. */
export const isSpent = (tensor: object): boolean => spent.has(tensor);
