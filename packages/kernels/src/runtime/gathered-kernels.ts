import { groupsOf, type JoinLimits } from './joined-kernels.js';
import type { KernelCall, SourcedCall } from './program.js';

/** Kernels that `Runtime.together` gathers, until those that can share a dispatch are known. */
export class GatheredKernels {
  /** Undefined where nothing is gathered. */
  private kernels: SourcedCall[] | undefined;

  /** @param dispatch records kernels that can be one dispatch */
  constructor(
    private readonly sourced: (call: KernelCall) => SourcedCall,
    private readonly limits: JoinLimits,
    private readonly dispatch: (kernels: readonly SourcedCall[]) => void,
  ) {}

  /** Whether a `during` is under way. */
  get isGathering(): boolean {
    return this.kernels !== undefined;
  }

  /** Gathers what `body` adds, and dispatches it at the end; inside of another one, at the end of that. */
  during<T>(body: () => T): T {
    if (this.kernels) return body();
    this.kernels = [];
    try {
      return body();
    } finally {
      try {
        this.flush();
      } finally {
        this.kernels = undefined;
      }
    }
  }

  /** Dispatches a kernel: later with others where kernels are gathered, else at once. */
  add(call: KernelCall): void {
    const kernel = this.sourced(call);
    if (this.kernels) this.kernels.push(kernel);
    else this.dispatch([kernel]);
  }

  /** Dispatches what has been gathered, before any other command, which must find done what came before it. */
  flush(): void {
    const { kernels } = this;
    if (!kernels) return;
    this.kernels = [];
    for (const group of groupsOf(kernels, this.limits)) this.dispatch(group);
  }
}
