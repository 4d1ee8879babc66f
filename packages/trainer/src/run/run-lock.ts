import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemErrorCode, UserError } from '../errors.js';
import { FileWriteError, freeBytes, nodeFileSystem } from '../formats/file-write.js';
import { isRunning, thisProcess, type ProcessIdentity } from './process-identity.js';

const LOCK_FILE = 'lock.json';

/** Who writes to a run folder. */
export interface LockOwner extends ProcessIdentity {
  /** ISO 8601. */
  readonly since: string;
  /** Tells this lock from all others. */
  readonly token: string;
}

/** Another program writes to the run folder. */
export class RunInUseError extends UserError {
  override readonly name = 'RunInUseError';

  constructor(
    readonly path: string,
    readonly owner: LockOwner,
  ) {
    const { host, pid, since } = owner;
    super(
      `${dirname(path)} is in use by process ${pid} on ${host}, which has had it since ${since} (${path}). Wait for its ` +
        `end, end it (kill ${pid} there: it writes a checkpoint), or choose another --out.`,
    );
  }
}

/** The run folder has become another program's. */
export class RunTakenError extends UserError {
  override readonly name = 'RunTakenError';

  constructor(path: string, owner: ProcessIdentity | undefined) {
    const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another program';
    super(
      `${dirname(path)} was taken over by ${who}: this one gave no sign of life for too long, as when ` +
        'it is paused. It writes nothing more; the other goes on with the run.',
    );
  }
}

interface FoundLock {
  readonly text: string;
  readonly mtimeMs: number;
  /** Undefined for what a kill left half-written. */
  readonly owner: LockOwner | undefined;
}

function readLock(path: string): FoundLock | undefined {
  try {
    // Opened anew each time: that is when a network file system asks its server.
    const descriptor = openSync(path, 'r');
    try {
      const text = readFileSync(descriptor, 'utf8');
      return { text, mtimeMs: fstatSync(descriptor).mtimeMs, owner: ownerIn(text) };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function ownerIn(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner> | null;
    return typeof owner?.token === 'string' && typeof owner.pid === 'number'
      ? (owner as LockOwner)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a program writes to a run folder; undefined where that cannot be said from here. */
export function isInUse(directory: string): boolean | undefined {
  const found = readLock(join(directory, LOCK_FILE));
  if (!found) return false;
  return found.owner && isRunning(found.owner);
}

/** How a lock is kept up and watched, in milliseconds. */
export interface LockTiming {
  /** From one sign of life to the next. */
  readonly beatMs: number;
  /** An owner on another system is taken for dead after so long without one. */
  readonly silenceMs: number;
}

const TIMING: LockTiming = { beatMs: 10_000, silenceMs: 60_000 };

/**
 * The right to write to a run folder, as the file `lock.json` in it, which one program has at a time. An owner that has
 * died loses it: on this system that is known at once, by its pid and when it began; an owner on another, such as
 * another host with the same file system, touches the file every ten seconds, and is taken for dead when nothing has
 * come for a minute. Clocks are not compared. An owner that only seemed dead learns of it before it writes anything,
 * and ends.
 */
export class RunLock {
  private readonly path: string;
  private owner: LockOwner | undefined;
  private beat: NodeJS.Timeout | undefined;
  /** When it was last seen to be this object's, by the clock, which also counts what a host has slept. */
  private seenHeldMs = -Infinity;

  /** @param note is told when an owner elsewhere is waited for */
  constructor(
    directory: string,
    private readonly note: (message: string) => void,
    private readonly timing = TIMING,
  ) {
    this.path = join(directory, LOCK_FILE);
  }

  /**
   * Takes the folder, which is made where there is none; where it is this object's already, {@link requireHeld}.
   *
   * @throws RunInUseError when a program that is alive has it
   * @throws RunTakenError when it was this object's, and is another's now
   * @throws FileWriteError when the lock cannot be written
   */
  async take(): Promise<void> {
    if (this.owner) return this.requireHeld();
    const owner = { ...thisProcess(), since: new Date().toISOString(), token: randomUUID() };
    try {
      await mkdir(dirname(this.path), { recursive: true });
      while (!this.create(owner)) {
        const found = readLock(this.path);
        if (found && (await this.isLeftOver(found))) this.setAside(found, owner.token);
      }
    } catch (error) {
      if (error instanceof UserError) throw error;
      const free = await freeBytes(this.path, nodeFileSystem);
      throw new FileWriteError(this.path, systemErrorCode(error), 0, free, '', { cause: error });
    }
    this.owner = owner;
    this.beat = setInterval(() => this.touch(owner), this.timing.beatMs).unref();
  }

  /**
   * To be called before anything lasting is written. A lock that somebody has removed is made again.
   *
   * @throws RunTakenError when it is another's
   * @throws FileWriteError when it can be neither read nor made
   */
  requireHeld(): void {
    const { owner } = this;
    if (!owner) throw new Error(`${this.path} is not held`);
    let other: LockOwner | undefined;
    try {
      if (readLock(this.path)?.owner?.token === owner.token || this.create(owner)) {
        this.seenHeldMs = Date.now();
        return;
      }
      other = readLock(this.path)?.owner;
    } catch (error) {
      throw new FileWriteError(this.path, systemErrorCode(error), 0, null, '', { cause: error });
    }
    throw new RunTakenError(this.path, other);
  }

  /**
   * {@link requireHeld}, unless that was seen less than a beat ago: nobody takes a lock from an owner that was alive so
   * lately, and each look is a question to the server of a network's files.
   */
  requireHeldLately(): void {
    if (Math.abs(Date.now() - this.seenHeldMs) >= this.timing.beatMs) this.requireHeld();
  }

  /** Gives the folder back. */
  release(): void {
    clearInterval(this.beat);
    const { owner } = this;
    this.owner = undefined;
    if (!owner || readLock(this.path)?.owner?.token !== owner.token) return;
    try {
      unlinkSync(this.path);
    } catch {
      // It is known to be left over as soon as this process has ended.
    }
  }

  /** Whether there was no lock, and now is this one. */
  private create(owner: LockOwner): boolean {
    let descriptor: number;
    try {
      descriptor = openSync(this.path, 'wx');
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') return false;
      throw error;
    }
    try {
      writeFileSync(descriptor, `${JSON.stringify(owner, null, 2)}\n`);
    } catch (error) {
      // A full disk takes the name and not the content.
      unlinkSync(this.path);
      throw error;
    } finally {
      closeSync(descriptor);
    }
    return true;
  }

  private touch({ token }: LockOwner): void {
    const now = new Date();
    try {
      // A sign of life in another's lock would keep it up after that owner's death.
      if (readLock(this.path)?.owner?.token === token) utimesSync(this.path, now, now);
    } catch {
      // What has become of it is looked at before more is written.
    }
  }

  /**
   * Whether the owner of a lock is dead.
   *
   * @throws RunInUseError where it is not
   */
  private async isLeftOver({ owner, text, mtimeMs }: FoundLock): Promise<boolean> {
    const isAlive = owner && isRunning(owner);
    if (owner && isAlive) throw new RunInUseError(this.path, owner);
    if (isAlive === false) return true;
    const { beatMs, silenceMs } = this.timing;
    const who = owner ? `process ${owner.pid} on ${owner.host}` : 'a program that did not say its name';
    this.note(`${this.path} is the lock of ${who}: waiting up to ${silenceMs / 1000} s for a sign of life`);
    for (let waitedMs = 0; waitedMs < silenceMs; waitedMs += beatMs / 10) {
      await delay(beatMs / 10);
      const now = readLock(this.path);
      if (now?.text !== text) return false;
      if (owner && now.mtimeMs !== mtimeMs) throw new RunInUseError(this.path, owner);
    }
    return true;
  }

  /**
   * Takes a left-over lock away. Of several programs that find it one gets it by renaming; one that comes late has a
   * new lock in its hands instead, and puts it back.
   */
  private setAside({ text }: FoundLock, token: string): void {
    const aside = `${this.path}.${token}`;
    try {
      renameSync(this.path, aside);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return;
      throw error;
    }
    if (readLock(aside)?.text === text) unlinkSync(aside);
    else renameSync(aside, this.path);
  }
}
