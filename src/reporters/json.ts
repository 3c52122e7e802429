import { escapeJson } from './safe-text.ts';

/** Any document of ours as JSON: two spaces, one final line break, control characters escaped. */
export const renderJson = (document: object): string => `${escapeJson(JSON.stringify(document, null, 2))}\n`;

/** The same on one line, for streams of events. */
export const renderJsonLine = (document: object): string => `${escapeJson(JSON.stringify(document))}\n`;
