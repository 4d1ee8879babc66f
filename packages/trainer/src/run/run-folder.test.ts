import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { saveCheckpoint } from '../formats/checkpoint.js';
import {
  checkpointDirectory,
  checkpointPath,
  latestCheckpoint,
  pruneCheckpoints,
} from '../formats/checkpoint-folder.js';
import { UserError } from '../errors.js';
import { FileWriteError } from '../formats/file-write.js';
import { thisProcess } from './process-identity.js';
import { createRun, readRunConfig, requireSameSettings, resumeRun } from './run-folder.js';
import { RunLock, RunTakenError } from './run-lock.js';
import { contentOfStep } from '../testing/checkpoint-content.js';
import { EXAMPLE_CONFIG } from '../testing/example-config.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

describe('a run folder', () => {
  it('holds the configuration, and opens again where its checkpoint stands', async () => {
    const directory = join(await temporaryFolder(), 'runs', 'a');
    const run = await createRun(directory, EXAMPLE_CONFIG);
    for (const step of [1, 2, 3]) run.log.append({ type: 'step', step });
    run.close();
    expect(readRunConfig(directory)).toEqual(EXAMPLE_CONFIG);
    const resumed = await resumeRun(directory, 2);
    resumed.close();
    expect(resumed.config).toEqual(EXAMPLE_CONFIG);
    expect((await readFile(join(directory, 'log.jsonl'), 'utf8')).split('\n')).toHaveLength(3);
  });

  it('sets aside damaged checkpoints that it goes on before, so that pruning spares the new ones', async () => {
    const directory = await temporaryFolder();
    (await createRun(directory, EXAMPLE_CONFIG)).close();
    await saveCheckpoint(checkpointPath(directory, 4), contentOfStep(4, 8));
    await writeFile(checkpointPath(directory, 9), 'cut sh');
    const found = await latestCheckpoint(directory, () => undefined);
    (await resumeRun(directory, found?.step ?? 0)).close();
    await saveCheckpoint(checkpointPath(directory, 6), contentOfStep(6, 8));
    await pruneCheckpoints(directory, { keepLast: 1 });
    expect((await readdir(checkpointDirectory(directory))).sort()).toEqual([
      'step-00000006.safetensors',
      'step-00000009.safetensors.damaged',
    ]);
  });

  it('is not written to any more once another program has taken it over', async () => {
    const directory = await temporaryFolder();
    const lock = new RunLock(directory, () => undefined, { beatMs: 0, silenceMs: 60_000 });
    onTestFinished(() => lock.release());
    await lock.take();
    const run = await createRun(directory, EXAMPLE_CONFIG, lock);
    onTestFinished(() => run.close());
    run.log.append({ type: 'step', step: 1 });
    const other = {
      ...thisProcess(),
      host: 'elsewhere',
      since: '2026-01-02T03:04:05.000Z',
      token: 'another',
    };
    await writeFile(join(directory, 'lock.json'), JSON.stringify(other));
    expect(() => run.log.append({ type: 'step', step: 2 })).toThrow(RunTakenError);
    expect(() => run.requireHeld()).toThrow(RunTakenError);
    expect(await readFile(join(directory, 'log.jsonl'), 'utf8')).toBe('{"type":"step","step":1}\n');
  });

  it('is not written over', async () => {
    const directory = await temporaryFolder();
    (await createRun(directory, EXAMPLE_CONFIG)).close();
    await expect(createRun(directory, EXAMPLE_CONFIG)).rejects.toThrow(`${directory} already holds a run`);
    const other = await temporaryFolder();
    await writeFile(join(other, 'log.jsonl'), '');
    await expect(createRun(other, EXAMPLE_CONFIG)).rejects.toBeInstanceOf(UserError);
  });

  it('says what is wrong when there is none, or its configuration is damaged', async () => {
    const directory = await temporaryFolder();
    await expect(resumeRun(directory, 0)).rejects.toThrow(`${directory} holds no run`);
    await writeFile(join(directory, 'config.json'), '{"program":');
    expect(() => readRunConfig(directory)).toThrow('config.json');
    await writeFile(join(directory, 'config.json'), '{"program":"pretrain"}');
    expect(() => readRunConfig(directory)).toThrow('"commandLine" is missing');
    await writeFile(join(directory, 'config.json'), JSON.stringify({ ...EXAMPLE_CONFIG, settings: null }));
    expect(() => readRunConfig(directory)).toThrow('"settings" is null');
    const deep = `${'['.repeat(1e5)}${']'.repeat(1e5)}`;
    await writeFile(join(directory, 'config.json'), `{"settings":{"a":${deep}}}`);
    expect(() => readRunConfig(directory)).toThrow(/cannot read .*config\.json/);
    await writeFile(join(directory, 'config.json'), 'null');
    expect(() => readRunConfig(directory)).toThrow(
      'config.json is not the configuration of a run: it is null',
    );
  });

  it('reports a place where no folder can be made', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    await expect(createRun(join(file, 'run'), EXAMPLE_CONFIG)).rejects.toBeInstanceOf(FileWriteError);
  });
});

describe('requireSameSettings', () => {
  it('compares the settings that are given', () => {
    expect(() => requireSameSettings('run', { a: 1, b: [1, 2] }, { b: [1, 2] })).not.toThrow();
  });

  it('names every difference with both values', () => {
    const act = (): void => requireSameSettings('run', { a: 1, b: 'x' }, { a: 2, b: 'x', c: true });
    expect(act).toThrow(UserError);
    expect(act).toThrow('a was 1 and is now 2; c was null and is now true');
  });

  it('names what differs in an object, and nothing else of it', () => {
    const saved = { model: { dim: 64, region: [2, 5, 10], heads: 2 } };
    const act = (): void =>
      requireSameSettings('run', saved, { model: { kind: 'vit', dim: 32, region: [2, 5, 10] } });
    expect(act).toThrow(
      'other settings: model.dim was 64 and is now 32; model.heads was 2 and is now null; ' +
        'model.kind was null and is now "vit". ',
    );
    expect(() => requireSameSettings('run', saved, { model: { ...saved.model } })).not.toThrow();
  });
});
