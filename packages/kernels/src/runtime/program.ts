/** How a kernel uses a binding. */
export type Access = 'read' | 'read_write';

/** A kernel ready to be compiled: full WGSL text, the access of each binding in order, and names for messages. */
export interface ProgramSource {
  /** Kernel name, e.g. `layer-norm`; the key of the ledger and of the profile. */
  readonly kernel: string;
  /** Shapes and variant, for error messages, e.g. `registers M=800 N=512 K=2048`. */
  readonly detail: string;
  /** Complete WGSL with one entry point `main`; bindings are `@group(0) @binding(i)`. */
  readonly wgsl: string;
  readonly access: readonly Access[];
}

/** A compiled kernel. */
export interface Program extends ProgramSource {
  readonly id: number;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** The label under which WebGPU's messages speak of a program and of its bind groups. */
export function programLabel({ kernel, detail }: ProgramSource): string {
  return `${kernel} ${detail}`;
}
