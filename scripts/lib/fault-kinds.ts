import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { DataSet } from '../../apps/pretrain/src/testing/data-set.js';
import {
  checkpointsOf,
  lastBytes,
  logOf,
  SAVE_EVERY,
  STEPS,
  train,
  type Ended,
  type How,
} from './faulty-runs.js';
import { killedStudy } from './killed-study.js';
import { require } from './require.js';

/*
 * What can happen to a run, and what must come of it. Each test gives the outcome in words, which the table counts, or
 * throws what is wrong.
 */

/** What a test works with. */
export interface FaultContext {
  /** For files of its own. */
  readonly folder: string;
  readonly videos: string;
  readonly data: DataSet;
  /** A run that nothing happened to, with the digest of its last checkpoint and how long it took. */
  readonly whole: string;
  readonly bytes: string;
  readonly wholeMs: number;
  /** The folder of this run, and its number among those of its kind. */
  readonly out: string;
  readonly number: number;
}

interface FaultKind {
  readonly title: string;
  readonly runs: number;
  /** How many of them in short. */
  readonly short: number;
  readonly test: (context: FaultContext) => Promise<string>;
}

const SAME = 'bytes of the undisturbed run';

/** A whole number from `least` to `most`. */
const random = (least: number, most: number) => least + Math.floor(Math.random() * (most - least + 1));
const pick = <T>(list: readonly T[]) => list[random(0, list.length - 1)]!;

/** Goes on with a run, which must end with the bytes of the undisturbed one, each of its steps logged once. */
async function requireSameEnd(videos: string, out: string, bytes: string, how?: How): Promise<string> {
  const { status, output } = await train(videos, out, how);
  require(status === 0, `going on ended with exit code ${status}`, output);
  require(lastBytes(out) === bytes, 'it ends with other bytes', output);
  const steps = logOf(out).flatMap(({ type, step }) => (type === 'step' ? [step] : []));
  require(steps.join() ===
    Array.from({ length: STEPS }, (_, i) => i + 1).join(), `logged are the steps ${steps}`);
  return output;
}

function requireError({ status, signal, output }: Ended, message: RegExp): void {
  require(status === 1 && signal === null, `ended with ${signal ?? `exit code ${status}`}`, output);
  require(/^error: /m.test(output) && message.test(output), `no error that matches ${message}`, output);
  require(!/defect|^ {4}at .*(node:|\.m?js|\.ts)/m.test(output), 'an error that nobody expected', output);
}

/** A run that stopped after some steps, with checkpoints of that step and of one before it. */
async function stoppedRun({ videos, out }: FaultContext): Promise<[older: string, newest: string]> {
  const stopAfter = random(SAVE_EVERY + 1, STEPS - 1);
  const { status, output } = await train(videos, out, { changes: { 'stop-after': stopAfter } });
  const [older, newest, ...others] = checkpointsOf(out);
  require(status === 0 &&
    older &&
    newest &&
    others.length === 0, `stopping ended with exit code ${status}`, output);
  return [older, newest];
}

async function killed({ videos, out, bytes, wholeMs }: FaultContext) {
  const kills = random(1, 2);
  for (let i = 0; i < kills; i++) await train(videos, out, { killAfterMs: random(1, wholeMs) });
  await requireSameEnd(videos, out, bytes);
  return SAME;
}

const mount = (...words: string[]) => spawnSync('mount', words).status === 0;

/**
 * The folder lies on a disk of its own that has less room than a run takes; where none may be mounted, the device that is
 * always full stands in for a checkpoint that is being written.
 */
async function fullDisk({ videos, out, whole, bytes, number }: FaultContext) {
  const checkpointKilobytes = Math.ceil(statSync(checkpointsOf(whole).at(-1)!).size / 1024);
  mkdirSync(join(out, 'checkpoints'), { recursive: true });
  // From what the lock alone does not fit in to what one checkpoint and half of another do.
  const room = pick([random(4, 40), random(41, Math.floor(1.5 * checkpointKilobytes))]);
  const isMounted = number % 2 === 0 && mount('-t', 'tmpfs', '-o', `size=${room}k`, 'tmpfs', out);
  // The first: later ones are taken for what a kill has left, and removed.
  const step = SAVE_EVERY;
  const partial = join(out, 'checkpoints', `step-${String(step).padStart(8, '0')}.safetensors.partial`);
  if (!isMounted) symlinkSync('/dev/full', partial);
  try {
    requireError(await train(videos, out), /cannot write .*no space left on the device \(ENOSPC\)/);
    if (isMounted) mount('-o', `remount,size=${10 * checkpointKilobytes}k`, out);
    await requireSameEnd(videos, out, bytes);
  } finally {
    if (isMounted) spawnSync('umount', ['-l', out]);
  }
  return `error “no space left” (${isMounted ? 'a full disk' : '/dev/full'}), then ${SAME}`;
}

/** Root may write everywhere, but for what it gives up: the capability to pass over permissions. */
function withoutPrivileges(): string[] {
  if (process.getuid?.() !== 0) return [];
  const capabilities = '-dac_override,-dac_read_search,-fowner';
  return ['setpriv', `--inh-caps=${capabilities}`, `--bounding-set=${capabilities}`];
}

async function readOnly(context: FaultContext) {
  const { videos, out, bytes, number } = context;
  const isBegun = number % 2 === 1;
  mkdirSync(out);
  if (isBegun) await stoppedRun(context);
  const folders = [out, ...(isBegun ? [join(out, 'checkpoints')] : [])];
  for (const one of folders) chmodSync(one, 0o555);
  try {
    const denied = await train(videos, out, { wrap: withoutPrivileges() });
    requireError(denied, /cannot write .*permission denied \(EACCES\)/);
  } finally {
    for (const one of folders) chmodSync(one, 0o755);
  }
  await requireSameEnd(videos, out, bytes);
  return `error “permission denied”, then ${SAME}`;
}

async function truncated(context: FaultContext) {
  const cut = (path: string) => truncateSync(path, random(0, readFileSync(path).length - 1));
  return damaged(cut, context);
}

async function bitFlipped(context: FaultContext) {
  const flip = (path: string) => {
    const content = readFileSync(path);
    content[random(0, content.length - 1)]! ^= 1 << random(0, 7);
    writeFileSync(path, content);
  };
  return damaged(flip, context);
}

/** Every third time all checkpoints are damaged, else the newest. */
async function damaged(damage: (path: string) => void, context: FaultContext) {
  const { videos, out, bytes, number } = context;
  const [older, newest] = await stoppedRun(context);
  const kept = `${older}.kept`;
  damage(newest);
  if (number % 3 === 2) {
    copyFileSync(older, kept);
    damage(older);
    requireError(await train(videos, out), /is not a usable checkpoint/);
    copyFileSync(kept, older);
  }
  const output = await requireSameEnd(videos, out, bytes);
  require(output.includes(`${basename(newest)} is damaged`), 'nobody names the damaged checkpoint', output);
  return number % 3 === 2 ? `error “not a usable checkpoint”, then ${SAME}` : `named, ${SAME}`;
}

/** A clip with bytes that are not its own: what comes of it must come of it again, also after a kill. */
async function damagedClip({ folder, data, out, number, wholeMs }: FaultContext) {
  const videos = join(folder, `damaged-${number}`);
  cpSync(data.folder, videos, { recursive: true });
  const path = join(videos, 'good-2.mp4');
  const content = readFileSync(path);
  if (number % 2 === 0) truncateSync(path, random(0, content.length - 1));
  else {
    const [begin, length] = [random(0, content.length - 64), random(16, 64)];
    for (let i = 0; i < length; i++) content[begin + i] = random(0, 255);
    writeFileSync(path, content);
  }
  const whole = `${out}-whole`;
  const { status, output } = await train(videos, whole);
  require(status === 0, `ended with exit code ${status}`, output);
  await train(videos, out, { killAfterMs: random(wholeMs / 2, wholeMs) });
  const bytes = lastBytes(whole);
  require(bytes, 'it ends without a last checkpoint', output);
  await requireSameEnd(videos, out, bytes);
  const isNamed = logOf(whole).some(({ type, path: bad }) => type === 'bad-file' && bad === path);
  return `${isNamed ? 'named in the log' : 'still a video'}, the same bytes after a kill`;
}

async function lostDevice({ videos, out, bytes, number }: FaultContext) {
  if (number % 4 === 3) {
    // Before the first checkpoint each time.
    const again = await train(videos, out, { faults: { loseAt: [1, 2, 3, 4] } });
    requireError(again, /the GPU was lost 4 times without a new checkpoint in between/);
    await requireSameEnd(videos, out, bytes);
    return `error “lost 4 times”, then ${SAME}`;
  }
  const loseAt = [random(1, STEPS), random(STEPS + 1, 2 * STEPS)];
  const output = await requireSameEnd(videos, out, bytes, { faults: { loseAt } });
  require(/device was lost.*Opening it again/.test(output), 'nobody says that it was lost', output);
  require(logOf(out).some(({ type }) => type === 'device-lost'), 'the log does not say so');
  return `opened again, ${SAME}`;
}

interface SkippedBatch {
  readonly seed: number;
  readonly clips: readonly { readonly name: string; readonly frames: readonly number[] }[];
}

async function notANumber({ videos, out }: FaultContext) {
  const at = random(2, STEPS - 5);
  const changes = { 'max-skipped': 3, 'save-every': 1 };
  requireError(
    await train(videos, out, { changes, faults: { poisonAt: [at] } }),
    new RegExp(`training has diverged: in step ${at + 2} .*as in the 2 steps before it`),
  );
  const skipped = logOf(out).filter(({ type }) => type === 'skipped-step');
  require(skipped.length === 3, `${skipped.length} skipped steps are logged`);
  for (const { file = '' } of skipped) {
    const { clips, seed } = JSON.parse(readFileSync(join(out, file), 'utf8')) as SkippedBatch;
    require(seed === 0 && clips.length === 2, `${file} does not name the clips`);
    require(clips.every(
      ({ name, frames }) => name.endsWith('.mp4') && frames.length === 4,
    ), `${file} names no clips`);
  }
  return 'error “training has diverged”, clips in skipped/';
}

async function noMemory({ videos, out }: FaultContext) {
  // Of what a step takes, which is some 2 MiB for one clip and less for each more.
  const faults = { memoryBytes: random(1, 40) * 2 ** 16 };
  requireError(
    await train(videos, out, { faults }),
    /does not fit .*the driver gave .* and refused .*(--batch-size 1,|Not even)/,
  );
  return 'error that names the largest batch';
}

/** An ffmpeg that never ends, for the file that no other decoder takes: it is as bad as it was. */
async function hangingDecoder({ videos, data, out, bytes, folder, number }: FaultContext) {
  const script = join(folder, `hanging-ffmpeg-${number}`);
  const answer = 'case "$*" in *-version*) echo "ffmpeg version 7.1 hanging"; exit;; esac';
  writeFileSync(script, `#!/bin/sh\n${answer}\nexec sleep 1000\n`, { mode: 0o755 });
  const env = { FFMPEG_PATH: script };
  await requireSameEnd(videos, out, bytes, { env, changes: { 'decode-limit': 10 } });
  const text = logOf(out).find(({ type, path }) => type === 'bad-file' && path === data.textFile);
  require(text?.reason?.includes('ended by SIGKILL after'), `the file is not named: ${JSON.stringify(text)}`);
  return `ended and named in the log, ${SAME}`;
}

/** By name. */
export const kinds = {
  kill: { title: 'SIGKILL at random instants', runs: 120, short: 3, test: killed },
  disk: { title: 'full disk', runs: 15, short: 2, test: fullDisk },
  'read-only': { title: 'read-only folder', runs: 6, short: 2, test: readOnly },
  truncated: { title: 'truncated checkpoint', runs: 12, short: 3, test: truncated },
  flipped: { title: 'checkpoint with a flipped bit', runs: 12, short: 3, test: bitFlipped },
  clip: { title: 'damaged clip', runs: 10, short: 2, test: damagedClip },
  decoder: { title: 'hanging decoder', runs: 3, short: 1, test: hangingDecoder },
  lost: { title: 'lost GPU', runs: 12, short: 4, test: lostDevice },
  nan: { title: 'NaN in the weights', runs: 6, short: 2, test: notANumber },
  memory: { title: 'out of memory', runs: 6, short: 2, test: noMemory },
  study: { title: 'study killed in mid-training, twice', runs: 2, short: 0, test: killedStudy },
} satisfies Record<string, FaultKind>;
