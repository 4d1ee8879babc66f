// Says what this machine offers Tubelet, and for everything missing what to do about it.
// Exit code 0 when WebGPU has an adapter, 1 when not.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/root.mjs';
import { probe } from './lib/probe.mjs';
import { bundleSource, importSource } from './lib/source.mjs';

if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
  console.error('The packages are not installed yet. Run: node scripts/setup.mjs');
  process.exit(1);
}

const doctor = await importSource('packages/kernels/src/node/doctor/index.ts');
const { missing, ok, thisSystem } = doctor;

async function decoderFindings() {
  const topic = 'Video';
  const { tryWebCodecs, wantedDecoder } = await importSource('packages/video/src/webcodecs/find.ts');
  try {
    if (wantedDecoder() === 'ffmpeg') return [ok(topic, 'TUBELET_DECODER leaves every file to ffmpeg')];
    const { version } = await tryWebCodecs(await bundleSource('packages/video/src/webcodecs/process.ts'));
    return [ok(topic, `@napi-rs/webcodecs ${version} decodes; what it cannot read is for ffmpeg`)];
  } catch (error) {
    if (error.name !== 'WebCodecsNotFoundError') return [missing(topic, error.message, [])];
    return [missing(topic, `ffmpeg decodes every file, since ${error.message}`, ['npm install'])];
  }
}

async function ffmpegFindings() {
  const { resolveFfmpeg } = await importSource('packages/video/src/ffmpeg.ts');
  const topic = 'ffmpeg';
  try {
    const { source, version, path, scriptPath, reason } = await resolveFfmpeg();
    const found = ok(topic, `${version}, ${path ?? scriptPath}: ${reason}`);
    if (source !== '@ffmpeg/core') return [found];
    return [
      found,
      missing(topic, 'a native ffmpeg decodes whole files about three times as fast.', [
        'Debian, Ubuntu: apt-get install ffmpeg      or FFMPEG_PATH=/path/to/ffmpeg',
      ]),
    ];
  } catch (error) {
    return [
      missing(topic, error.message, [
        'Debian, Ubuntu: apt-get install ffmpeg      or FFMPEG_PATH=/path/to/ffmpeg',
      ]),
    ];
  }
}

function cacheFindings() {
  const cache = doctor.cacheDirectory();
  const by = process.env.TUBELET_CACHE_DIR ? 'TUBELET_CACHE_DIR' : 'TUBELET_CACHE_DIR moves it';
  const findings = [ok('Cache', `${cache} (${existsSync(cache) ? by : `not made yet; ${by}`})`)];
  try {
    for (const { name, version, libraries } of doctor.recordedDrivers()) {
      const bytes = libraries.reduce((sum, path) => sum + statSync(path).size, 0);
      findings.push(ok('Cache', `${name} ${version}: ${Math.round(bytes / 2 ** 20)} MiB`));
    }
  } catch (error) {
    findings.push(missing('Cache', error.message, ['node scripts/setup.mjs --force']));
  }
  return findings;
}

async function mpiFindings() {
  const read = await doctor.koffiMpiVersionReader();
  const launcher = await thisSystem.run('mpirun', ['--version']);
  return doctor.diagnoseMpi(read, launcher);
}

try {
  const choice = doctor.vulkanChoice();
  const { report, reasons } = await probe();
  const findings = [
    ok('Node', `${process.version}, ${process.platform} ${process.arch}`),
    ...doctor.describeGpu(report, reasons, choice),
  ];
  if (process.platform === 'linux') {
    const facts = await doctor.collectVulkanFacts(thisSystem);
    findings.push(...doctor.diagnoseVulkan(facts, report !== undefined && !report.software));
  }
  findings.push(
    ...(await decoderFindings()),
    ...(await ffmpegFindings()),
    ...(await mpiFindings()),
    ...cacheFindings(),
  );
  console.log(doctor.formatFindings(findings));
  process.exitCode = report ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
