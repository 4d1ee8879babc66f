import type { AdapterSummary } from '@tubelet/kernels';

/**
 * One line that says what ran. Dawn gives the GPU's name in `device`, in the letters of identifiers, and mostly the
 * driver's in `description`; browsers may leave out either.
 */
export function describeAdapter({
  vendor,
  architecture,
  device,
  description,
  isSoftware,
}: Omit<AdapterSummary, 'subgroupMinSize' | 'subgroupMaxSize' | 'features'>): string {
  if (isSoftware) return `${description || device || 'unnamed adapter'} (software)`;
  const name = device || [vendor, architecture].filter(Boolean).join(' ');
  if (!name) return description || 'unnamed adapter';
  return description && description !== name ? `${name} (${description})` : name;
}
