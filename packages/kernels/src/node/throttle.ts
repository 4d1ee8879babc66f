/*
 * While work is in flight dawn.node asks the driver again and again whether it has finished, through
 * `setImmediate`, about a hundred times a millisecond. On a GPU that costs one CPU core nobody
 * misses. On a software driver that core is part of the GPU: waiting about a millisecond between two
 * questions makes programs noticeably faster.
 */

type Immediate = typeof globalThis.setImmediate;

const key = Symbol.for('tubelet.pollThrottle');
const store = globalThis as { [key]?: { original: Immediate } };

/**
 * Whether a call of `setImmediate` is dawn.node's poll: it is the only caller that passes a nameless
 * native function and nothing else. Bound functions are native too, but have a name.
 */
export function isPoll(callback: unknown, argumentCount: number): boolean {
  return (
    argumentCount === 0 &&
    typeof callback === 'function' &&
    callback.name === '' &&
    callback.length === 0 &&
    Function.prototype.toString.call(callback) === 'function () { [native code] }'
  );
}

/**
 * Lets dawn.node's poll wait between two questions. Everybody else's `setImmediate` keeps its
 * meaning. The last call wins.
 *
 * @param intervalMs milliseconds between polls; 0 restores the poll that never waits
 * @throws RangeError when the interval is negative or not finite
 */
export function throttlePolling(intervalMs: number): void {
  if (!Number.isFinite(intervalMs) || intervalMs < 0) {
    throw new RangeError(`The polling interval is ${intervalMs} ms; it must be 0 or more.`);
  }
  const original = store[key]?.original ?? globalThis.setImmediate;
  if (intervalMs === 0) {
    if (store[key]) globalThis.setImmediate = original;
    delete store[key];
    return;
  }
  store[key] = { original };
  // The first question after new work is asked at once, so that what is already done costs no wait;
  // only a question that follows upon another one waits.
  let polling = false;
  const throttled = (callback: (...args: unknown[]) => void, ...args: unknown[]): unknown => {
    if (!isPoll(callback, args.length)) return original(callback, ...args);
    const poll = () => {
      polling = true;
      try {
        callback();
      } finally {
        polling = false;
      }
    };
    return polling ? setTimeout(poll, intervalMs) : original(poll);
  };
  // `util.promisify(setImmediate)` reads a symbol property of the original.
  globalThis.setImmediate = Object.assign(throttled, original) as Immediate;
}
