/**
 * VoxCeleb2, which is pre-trained on: what its parts hold, and whether a copy is whole.
 *
 * ```ts
 * const { findings, usable } = await checkVoxceleb2('/data/VoxCeleb2');
 * listVoxceleb2('/data/VoxCeleb2', 'dev')?.clips;   // dev/mp4/id00012/21Uxsk56VDQ/00001.mp4, …
 * ```
 */
export {
  checkVoxceleb2,
  type CheckVoxceleb2Options,
  type Voxceleb2Check,
  type Voxceleb2PartCheck,
} from './check-voxceleb2';
export {
  isVoxceleb2Path,
  listVoxceleb2,
  partFolder,
  VOXCELEB2_COUNTS,
  VOXCELEB2_LAYOUT,
  VOXCELEB2_PARTS,
  type Voxceleb2Counts,
  type Voxceleb2Listing,
  type Voxceleb2Part,
} from './parts';
