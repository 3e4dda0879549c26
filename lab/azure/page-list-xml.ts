/**
 * A page list as the blob service writes it. The ends are inclusive here, and only here.
 */
export interface PageEntry {
  readonly kind: 'page' | 'clear';
  readonly from: number;
  readonly to: number;
}

const tags = { page: 'PageRange', clear: 'ClearRange' } as const;

export function pageListXml(entries: readonly PageEntry[], next: string): string {
  const rows = entries.map(
    ({ kind, from, to }) => `<${tags[kind]}><Start>${from}</Start><End>${to - 1}</End></${tags[kind]}>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?><PageList>${rows.join('')}<NextMarker>${next}</NextMarker></PageList>`;
}
