import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { SKIPPED_STEPS } from '../program/meters.js';
import { writeReport } from './report.js';
import { readReportData, thinned } from './report-data.js';
import { RunLog } from '../run/run-log.js';
import { EXAMPLE_CONFIG } from '../testing/example-config.js';
import { temporaryFolder } from '../testing/temporary-folder.js';

async function runOf(steps: number): Promise<string> {
  const directory = await temporaryFolder();
  const log = new RunLog(join(directory, 'log.jsonl'), 0);
  log.append({ type: 'start', step: 0, totalSteps: 2 * steps });
  for (let step = 1; step <= steps; step++) {
    const metrics = { loss: 1 / step, 'loss/motion': step === 2 ? 'NaN' : 2 / step, lr: 1e-4 * step };
    const epoch = step <= 2 ? 0 : 1;
    const times = { durationMs: 500, dataWaitMs: 50, gpuWaitMs: 400, clipsPerSecond: 4 };
    log.append({ type: 'step', step, epoch, ...times, metrics });
  }
  log.append({ type: 'warning', step: steps, message: '<broken> film.mp4' });
  log.close();
  return directory;
}

describe('readReportData', () => {
  it('gathers curves, epoch means and events', async () => {
    const data = await readReportData(join(await runOf(4), 'log.jsonl'));
    expect(data).toMatchObject({
      completedSteps: 4,
      totalSteps: 8,
      stepsDurationMs: 2000,
      nonFiniteValues: 1,
    });
    expect(data.series.map(({ name }) => name)).toEqual(['loss', 'loss/motion', 'lr']);
    expect(data.waits.map(({ values }) => values)).toEqual([Array(4).fill(50), Array(4).fill(400)]);
    expect(data.series[1]).toMatchObject({ steps: [1, 3, 4], values: [2, 2 / 3, 0.5] });
    expect(data.epochs.map(({ epoch, steps }) => [epoch, steps])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(data.epochs[0]?.means.get('loss')).toBeCloseTo(0.75, 12);
    expect(data.events.map(({ type }) => type)).toEqual(['start', 'warning']);
  });
});

it('tells what steps waited for', async () => {
  const page = await readFile(await writeReport(await runOf(4), EXAMPLE_CONFIG), 'utf8');
  const { document } = parseHTML(page);
  const rows = [...document.querySelectorAll('tr')].map((row) => row.textContent);
  expect(rows).toContain('waited for data0s (10 %)');
  expect(rows).toContain('waited for the GPU2s (80 %)');
  expect(page).toContain('milliseconds waited');
});

it('tells how many steps a loss scale skipped', async () => {
  const directory = await runOf(2);
  const log = new RunLog(join(directory, 'log.jsonl'), 2);
  for (const [step, skipped] of [1, 2, 2].entries()) {
    const metrics = { loss: 1, 'gradient norm': 'Infinity', [SKIPPED_STEPS]: skipped };
    log.append({ type: 'step', step: 3 + step, epoch: 1, durationMs: 500, clipsPerSecond: 4, metrics });
  }
  log.close();
  const { document } = parseHTML(await readFile(await writeReport(directory, EXAMPLE_CONFIG), 'utf8'));
  const rows = [...document.querySelectorAll('tr')].map((row) => row.textContent);
  expect(rows).toContain('skipped steps, whose gradients overflowed2');
});

describe('validations', () => {
  it('are curves and entries of their epoch, beside the curve of training of the same name', async () => {
    const directory = await runOf(4);
    const log = new RunLog(join(directory, 'log.jsonl'), 4);
    const metrics = { 'validation/loss': 0.75, 'validation/uar': 0.25, 'validation/war': 'NaN' };
    log.append({ type: 'validation', step: 2, epoch: 0, metrics: { ...metrics, 'validation/uar': 0.5 } });
    log.append({ type: 'validation', step: 4, epoch: 1, metrics });
    log.close();
    const data = await readReportData(join(directory, 'log.jsonl'));
    expect(data).toMatchObject({ completedSteps: 4, stepsDurationMs: 2000, nonFiniteValues: 3 });
    expect(data.series.find(({ name }) => name === 'validation/uar')).toMatchObject({
      steps: [2, 4],
      values: [0.5, 0.25],
    });
    expect(data.epochs.map(({ steps, means }) => [steps, means.get('validation/loss')])).toEqual([
      [2, 0.75],
      [2, 0.75],
    ]);
    expect(data.events.map(({ type }) => type)).toEqual(['start', 'warning']);

    const section = {
      title: 'Labels',
      paragraphs: ['validated on: <test>'],
      figures: ['<svg id="drawn"></svg>'],
    };
    const html = await readFile(await writeReport(directory, EXAMPLE_CONFIG, [section]), 'utf8');
    const { document } = parseHTML(html);
    const titles = [...document.querySelectorAll('figure svg title')].map((title) => title.textContent);
    // The loss of both; what was only validated has a chart of its own.
    expect(titles).toEqual(['loss', 'lr', 'validation', 'clips per second', 'milliseconds waited']);
    const legend = document.querySelector('figure svg')?.textContent;
    expect(legend).toContain('validation/loss');
    const rows = [...document.querySelectorAll('tr')].map((row) => row.textContent);
    expect(rows).toContain('validation/uarlowest 0.25 at step 4, highest 0.5 at step 2, 0.25 at the last');
    expect(document.querySelector('figure #drawn')).not.toBeNull();
    expect(document.body.textContent).toContain('validated on: <test>');
  });
});

describe('thinned', () => {
  it('keeps short curves and averages long ones', () => {
    const curve = { name: 'x', steps: [1, 2, 3, 4, 5], values: [1, 3, 5, 7, 10] };
    expect(thinned(curve, 5)).toEqual(curve);
    expect(thinned(curve, 3)).toEqual({ name: 'x', steps: [2, 4, 5], values: [2, 6, 10] });
  });
});

describe('writeReport', () => {
  it('writes one page with settings, curves, epochs and events, which needs nothing else', async () => {
    const directory = await runOf(40);
    const path = await writeReport(directory, EXAMPLE_CONFIG);
    const html = await readFile(path, 'utf8');
    const { document } = parseHTML(html);
    const text = document.body.textContent ?? '';
    expect(document.querySelector('h1')?.textContent).toBe('pretrain');
    for (const part of ['llvmpipe', '20.20.2', 'maskRatio', '40 of 80', '<broken> film.mp4']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('<videos & "more">');
    // One chart each for the losses, the learning rate, the speed and the waiting.
    const charts = [...document.querySelectorAll('figure svg')].filter((svg) =>
      svg.querySelector('[aria-label="line"]'),
    );
    expect(charts.length).toBe(4);
    const lines = charts[0]?.querySelectorAll('[aria-label="line"] path') ?? [];
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line.getAttribute('d')).toMatch(/^M[\d.]+,[\d.]+L/);
    for (const address of html.matchAll(/(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)/g)) {
      throw new Error(`the page refers to ${address[1]}`);
    }
  });

  it('writes a report of a run that has not made a step', async () => {
    const directory = await temporaryFolder();
    await appendFile(join(directory, 'log.jsonl'), '{"type":"start","step":0}\n');
    const html = await readFile(await writeReport(directory, EXAMPLE_CONFIG), 'utf8');
    expect(html).toContain('<h1>pretrain</h1>');
  });
});
