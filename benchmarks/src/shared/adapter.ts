import type { AdapterSummary } from '@tubelet/kernels';

/** One line that says what ran. */
export function describeAdapter({
  vendor,
  architecture,
  device,
  description,
  isSoftware,
}: AdapterSummary): string {
  const name = description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return isSoftware ? `${name} (software)` : name;
}
