import type { CaseShape, HostTensors } from './cases.js';

/** Results by name: `y`; for parts with a backward pass see `gradientName` and `updateName`. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** A case that an engine has set up: inputs lie where it computes, kernels compile at the first run. */
export interface Prepared {
  /** Starts one run, or does it whole where the engine gives no other way. */
  run(): void | Promise<void>;
  /** Waits until all runs that were started are done. */
  finish(): Promise<void>;
  /** Results of the latest run. */
  read(): Promise<Outputs>;
  release(): void | Promise<void>;
}

/** The ways in which an engine can do a case; none, for the reason given. */
export type Methods = readonly [string, ...string[]] | { readonly reason: string };

/** An engine in its own process, with its GPU device. */
export interface Engine {
  readonly version: string;
  /** What it runs on. */
  readonly adapter: string;
  methods(shape: CaseShape): Methods;
  prepare(shape: CaseShape, inputs: HostTensors, method: string): Promise<Prepared>;
}

/** What engines without a backward pass say of cases that need one; undefined where they need none. */
export function needsAutodiff(shape: CaseShape): { readonly reason: string } | undefined {
  const isForward = shape.kind === 'block' ? shape.part === 'forward' : shape.kind !== 'gpt';
  return isForward ? undefined : { reason: 'no autodiff' };
}

/**
 * Names of what training gives besides the forward pass's `y`: the gradients of the loss, `d <name>` for `x`
 * and all parameters; or the updates, `Δ <name>` = (parameter after − before) / learning rate.
 */
export const gradientName = (name: string) => `d ${name}`;
export const updateName = (name: string) => `Δ ${name}`;

/** (after − before) / learning rate. */
export function update(before: Float32Array, after: Float32Array, learningRate: number): Float32Array {
  return after.map((value, i) => (value - before[i]!) / learningRate);
}

/** Names of the inputs of a block or the GPT that are trained. */
export function trainedNames(inputs: HostTensors): string[] {
  return Object.keys(inputs).filter((name) => name !== 'x' && name !== 'target');
}
