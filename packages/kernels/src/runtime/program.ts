import type { GpuArray } from './gpu-array.js';
import type { Cost } from './ledger.js';
import type { KernelData, WgslConstants } from './wgsl.js';

/** How a kernel uses a binding. */
export type Access = 'read' | 'read_write';

/** Workgroup memory and invocations of a kernel that may be dispatched together with others. */
export interface Joins {
  /** Extents of its workgroup along x and y. */
  readonly workgroup: readonly [x: number, y: number];
  readonly workgroupBytes: number;
  /** Names variables of workgroup memory that kernels of several texts have alike; default: those of its text. */
  readonly variables?: string;
}

/** One kernel on its arrays. */
export interface KernelCall {
  /** Kernel name, e.g. `layer-norm`; the key of the ledger and of the profile. */
  readonly kernel: string;
  /** Name of the variant, for messages. */
  readonly variant?: string;
  /** Files of WGSL that make the kernel, with one entry point `main`: see `generateWgsl`. */
  readonly wgsl: readonly string[];
  /** What changes the code. */
  readonly constants?: WgslConstants;
  /** What does not: numbers that reach the kernel in a uniform. */
  readonly data?: KernelData;
  /** By the names that the WGSL declares; one that is undefined is absent, which conditions in the WGSL see. */
  readonly arrays: Readonly<Record<string, GpuArray | undefined>>;
  readonly workgroups: readonly [number, number?, number?];
  readonly cost: Cost;
  /** Lets the kernel share a dispatch with others: see `Runtime.together`. */
  readonly joins?: Joins | undefined;
}

/** A kernel ready to be compiled: full WGSL text, the access of each binding in order, and names for messages. */
export interface ProgramSource {
  readonly kernel: string;
  /** What sets it apart from the kernel's other programs, for messages, e.g. `tiled TRANSPOSE_A`. */
  readonly detail: string;
  readonly wgsl: string;
  readonly access: readonly Access[];
  /** Whether a uniform block is bound behind the arrays. */
  readonly takesData: boolean;
}

/** One kernel on its arrays, with its text. */
export interface SourcedCall {
  readonly call: KernelCall;
  /** What its program is found by. */
  readonly key: string;
  readonly source: ProgramSource;
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
