/** The formats of `--format`; apart from the reporters, so that the fast commands need not load those. */
export const FORMATS = ['text', 'json', 'ndjson', 'markdown', 'github', 'html', 'openmetrics'] as const;
export type Format = (typeof FORMATS)[number];
