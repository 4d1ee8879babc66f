/** The archives that VoxCeleb2 comes in: what there is of them where clips are missing. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetProblem } from '../datasets/dataset.js';
import type { Voxceleb2Part } from './parts.js';

const PIECES = [...'abcdefghi'].map((letter) => `vox2_dev_mp4_parta${letter}`);
/** Of each piece but the last, which is shorter. */
const PIECE_BYTES = 30 * 2 ** 30;

const WHOLE: Readonly<Record<Voxceleb2Part, string>> = { dev: 'vox2_mp4.zip', test: 'vox2_test_mp4.zip' };

const UNPACK: Readonly<Record<Voxceleb2Part, string>> = {
  dev:
    'Put the pieces together and unpack them: `cat vox2_dev_mp4_parta* > vox2_mp4.zip && unzip vox2_mp4.zip` gives ' +
    'dev/mp4',
  test: 'Unpack it: `unzip vox2_test_mp4.zip -d test` gives test/mp4',
};

/**
 * Why clips of a part may be missing, by the archives in the folder of the data set.
 *
 * @param missing whether the part is not there at all
 */
export function archiveProblems(root: string, part: Voxceleb2Part, missing: boolean): DatasetProblem[] {
  const names = new Set(readdirSync(root));
  const problems: DatasetProblem[] = [];
  for (const found of missing && part === 'test' ? ['mp4', 'vox2_test_mp4'] : []) {
    if (!names.has(found)) continue;
    problems.push({
      where: found,
      problem:
        'the archive of the test part was unpacked here, where the development part would be mixed with it',
      remedy: `Move ${found === 'mp4' ? 'it' : `${found}/mp4`} to test/mp4`,
    });
  }
  const pieces = part === 'dev' ? PIECES.filter((name) => names.has(name)) : [];
  if (names.has(WHOLE[part])) {
    problems.push({
      where: WHOLE[part],
      problem: missing ? 'it was not unpacked' : 'it was not unpacked to its end, or was not whole',
      remedy: `${UNPACK[part]}; \`unzip -t ${WHOLE[part]}\` says whether it is whole`,
    });
  } else if (pieces.length === PIECES.length) {
    problems.push({
      where: `${PIECES[0]} … ${PIECES.at(-1)!.slice(-2)}`,
      problem: missing
        ? 'they were not put together and unpacked'
        : 'they were not put together and unpacked to their end',
      remedy: UNPACK[part],
    });
  }
  if (pieces.length === 0) return problems;
  for (const name of PIECES) {
    const remedy = 'Download it again: without it, what follows in the archive cannot be unpacked';
    if (!names.has(name)) {
      problems.push({ where: name, problem: 'this piece of the archive is not there', remedy });
      continue;
    }
    const { size } = statSync(join(root, name));
    const isShort = name === PIECES.at(-1) ? size === 0 : size !== PIECE_BYTES;
    if (!isShort) continue;
    const problem = `it has ${size.toLocaleString('en')} bytes, not ${PIECE_BYTES.toLocaleString('en')}`;
    problems.push({
      where: name,
      problem: name === PIECES.at(-1) ? 'it has 0 bytes' : problem,
      remedy,
    });
  }
  return problems;
}
