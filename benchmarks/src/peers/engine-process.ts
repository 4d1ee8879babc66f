import { fork, type ChildProcess } from 'node:child_process';
import type { EngineEntry } from './engines.js';
import type { PeerReplies, PeerReply, PeerRequest } from './protocol.js';

/** An engine's process ended, was too slow, or says that it cannot do what it was asked. */
export class EngineProcessError extends Error {
  override readonly name = 'EngineProcessError';
}

export interface EngineProcessOptions {
  /** The program that runs in the process. */
  readonly program: URL;
  /** Where the peers are installed. */
  readonly folder: string;
  readonly version: string;
  readonly timeoutMs: number;
}

/** One engine's process, seen from the parent. */
export class EngineProcess {
  private child: ChildProcess | undefined;
  private messages = '';

  constructor(
    readonly entry: EngineEntry,
    private readonly options: EngineProcessOptions,
  ) {}

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  /** Starts the process and opens the engine. */
  async open(): Promise<PeerReplies['open']> {
    const { program, folder, version } = this.options;
    this.messages = '';
    const child = fork(program, [], {
      // Results travel as typed arrays.
      serialization: 'advanced',
      execArgv: [...(this.entry.nodeOptions ?? [])],
      // What engines print would mix with the table.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr!.on('data', (text: Buffer) => {
      this.messages = (this.messages + text.toString()).slice(-4000);
    });
    child.once('exit', () => {
      if (this.child === child) this.child = undefined;
    });
    this.child = child;
    return this.ask({ kind: 'open', engine: this.entry.name, folder, version });
  }

  /** @throws EngineProcessError; a process that does not answer in time is ended */
  ask<Kind extends PeerRequest['kind']>(
    request: Extract<PeerRequest, { kind: Kind }>,
  ): Promise<PeerReplies[Kind]> {
    const { child } = this;
    if (!child) return Promise.reject(new EngineProcessError('its process has ended'));
    const { timeoutMs } = this.options;
    return new Promise((resolve, reject) => {
      const fail = (message: string) => settle(() => reject(new EngineProcessError(message)));
      const onExit = (code: number | null, signal: string | null) => {
        const last = this.messages.trim().split('\n').at(-1);
        fail(`its process ended with ${code ?? signal}${last ? `: ${last}` : ''}`);
      };
      const onMessage = (reply: PeerReply) => {
        if (reply.ok) settle(() => resolve(reply.value as PeerReplies[Kind]));
        else fail(reply.message);
      };
      const timer = setTimeout(() => {
        fail(`no answer to "${request.kind}" within ${timeoutMs / 1000} s`);
        this.close();
      }, timeoutMs);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        child.off('exit', onExit).off('message', onMessage);
        act();
      };
      child.once('exit', onExit).once('message', onMessage);
      child.send(request);
    });
  }

  close(): void {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }
}
