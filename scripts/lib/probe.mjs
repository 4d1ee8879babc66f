import { fileURLToPath } from 'node:url';
import { runCommand } from './commands.mjs';

const child = fileURLToPath(new URL('probe-child.mjs', import.meta.url));

/**
 * Opens an adapter and a device in a child process and runs a small kernel there.
 *
 * @param {NodeJS.ProcessEnv} [overrides] environment variables to set; undefined unsets
 * @param {string} [node] the Node to start; the present one unless given
 * @returns {Promise<{ report?: import('../../packages/kernels/src/node/probe').GpuReport, reasons: string[] }>}
 *   the report, or the reasons why there is none
 */
export async function probe(overrides = {}, node = process.execPath) {
  const env = { ...process.env, ...overrides };
  let result;
  try {
    result = await runCommand(node, [child], {
      env,
      timeoutMs: 90_000,
      allowFailure: true,
    });
  } catch (error) {
    return { reasons: [error.message] };
  }
  const line = result.stdout.trim().split('\n').at(-1) ?? '';
  let answer;
  try {
    answer = JSON.parse(line);
  } catch {
    const tail = result.stderr.trim().split('\n').slice(-4).join(' / ');
    return { reasons: [`the process that opened it ended with exit code ${result.code}: ${tail}`] };
  }
  if (answer.report) return { report: answer.report, reasons: [] };
  return { reasons: answer.tried ?? [answer.error] };
}
