import type { AdapterSummary } from './adapter.js';

/** Kinds of adapter that the shipped choices of variants tell apart. */
export type AdapterClass =
  | 'software'
  | 'integrated'
  | 'discrete-nvidia'
  | 'discrete-amd'
  | 'discrete-intel'
  | 'apple'
  | 'mobile'
  | 'unknown-gpu';

const MOBILE_VENDORS = new Set(['arm', 'qualcomm', 'img-tec', 'samsung', 'broadcom']);
const INTEL_DISCRETE = /\barc\b|xe-?\d?-?hp|battlemage|alchemist/i;
// AMD names neither in its architecture: graphics units within processors go by these names.
const AMD_INTEGRATED =
  /radeon(\(tm\))?( vega \d+)? graphics|radeon(\(tm\))? \d{3}m\b|raven|picasso|renoir|lucienne|cezanne|barcelo|rembrandt|mendocino|phoenix|raphael|strix|van ?gogh/i;
const NVIDIA_INTEGRATED = /tegra|orin|xavier/i;

/**
 * The class of an adapter by what it says of itself. WebGPU does not tell whether a GPU has memory of its own, so
 * that this goes by names; a wrong guess costs speed, which `npm run tune` wins back.
 */
export function adapterClass({
  isSoftware,
  vendor,
  architecture,
  device,
  description,
}: Pick<AdapterSummary, 'isSoftware' | 'vendor' | 'architecture' | 'device' | 'description'>): AdapterClass {
  if (isSoftware) return 'software';
  const names = `${architecture} ${device} ${description}`;
  const maker = vendor.toLowerCase();
  if (maker === 'nvidia') return NVIDIA_INTEGRATED.test(names) ? 'integrated' : 'discrete-nvidia';
  if (maker === 'amd') return AMD_INTEGRATED.test(names) ? 'integrated' : 'discrete-amd';
  if (maker === 'intel') return INTEL_DISCRETE.test(names) ? 'discrete-intel' : 'integrated';
  if (maker === 'apple') return 'apple';
  return MOBILE_VENDORS.has(maker) ? 'mobile' : 'unknown-gpu';
}
