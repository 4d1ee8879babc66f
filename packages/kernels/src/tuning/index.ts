export { digestOf } from './digest.js';
export {
  halfVariants,
  HalfPrecisionError,
  useHalfPrecision,
  variantsInHalf,
  type HalfVariant,
} from './half-precision.js';
export { requireFittingTable, tunableVariants, tuningIdentity } from './tunable.js';
export { tuningTableFromJson, tuningTableToJson, type TuningTableJson } from './tuning-json.js';
export { TuningTable, TuningTableError, type TuningChoice, type TuningIdentity } from './tuning-table.js';
