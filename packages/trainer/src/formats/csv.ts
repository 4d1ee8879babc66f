/** One record of a CSV file; fields with commas, quotes or line breaks are quoted (RFC 4180). */
export function csvRecord(fields: readonly (string | number)[]): string {
  const quoted = fields.map((field) => {
    const text = String(field);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}
