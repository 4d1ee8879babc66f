import { findWebCodecs, resolveFfmpeg, wasmFfmpeg } from '@tubelet/video';
import { takeTurn } from '../shared/turns.js';
import { measureLoader, type Contender, type LoaderResult, type LoaderWorkload } from './measure-loader.js';
import type { LoaderSource } from './sources.js';

/**
 * The decoders of this machine, first the one that programs take where nothing else is asked for; what is missing is
 * said on standard error.
 */
export async function findContenders(): Promise<Contender[]> {
  const ffmpeg = await resolveFfmpeg();
  const contenders: Contender[] = [];
  await findWebCodecs().then(
    () => contenders.push({ name: '@napi-rs/webcodecs', decoder: 'webcodecs', ffmpeg }),
    (error: unknown) => console.error(`without @napi-rs/webcodecs: ${(error as Error).message}`),
  );
  if (ffmpeg.kind === 'native') contenders.push({ name: 'ffmpeg', decoder: 'ffmpeg', ffmpeg });
  else console.error(`without an ffmpeg program: ${ffmpeg.reason}`);
  const wasm = wasmFfmpeg();
  if (wasm === undefined) console.error('without @ffmpeg/core: it is not installed');
  else contenders.push({ name: '@ffmpeg/core', decoder: 'ffmpeg', ffmpeg: wasm });
  return contenders;
}

/**
 * Measures every source with each of its contenders, all of a source in turn in every round.
 *
 * @param rounds how often each is measured
 */
export async function measureLoaders(
  sources: readonly LoaderSource[],
  settings: Omit<LoaderWorkload, 'source' | 'entries'>,
  rounds = 1,
): Promise<LoaderResult[]> {
  const results: LoaderResult[] = [];
  for (const { source, entries, contenders } of sources) {
    const ofContenders: LoaderResult[][] = contenders.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, contender] of contenders.entries()) {
        console.error(`${source}, ${contender.name} …`);
        const workload = { source, entries, ...settings };
        ofContenders[i]!.push(await takeTurn(() => measureLoader(contender, workload)));
      }
    }
    results.push(...ofContenders.map(joinRounds));
  }
  return results;
}

/** What all rounds of a contender come to. */
export function joinRounds(rounds: readonly LoaderResult[]): LoaderResult {
  const sum = (value: (round: LoaderResult) => number) =>
    rounds.reduce((total, round) => total + value(round), 0);
  const clips = sum((round) => round.clips);
  const seconds = sum((round) => round.seconds);
  const { name, source, decoder, cores } = rounds[0]!;
  return {
    ...{ name, source, decoder, clips, seconds, clipsPerSecond: clips / seconds },
    roundClipsPerSecond: rounds.flatMap((round) => round.roundClipsPerSecond),
    cores: cores === undefined ? undefined : sum((round) => round.cores! * round.seconds) / seconds,
    waited: sum((round) => round.waited) / rounds.length,
  };
}
