// `tubelet doctor` from its sources, for a clone that is not built.
import { doctor } from '../apps/tubelet/src/doctor/doctor.js';
import { probe } from './lib/probe.js';

try {
  process.exitCode = (await doctor({ probe })) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
