/** The report for an issue or a chat. */
import type { Report } from '../core/types/report.ts';
import { markOf } from './screen/blocks.ts';
import { escapeControls } from './screen/safe-text.ts';
import { describeFix, describeTown } from './screen/sentences.ts';
import { quoteCommand } from './screen/shell-quote.ts';
import { summarize } from './screen/summary.ts';
import { nameOf } from './screen/words.ts';
import { worstFirst } from './screen/worst-first.ts';

/** A report to paste into an issue or a chat: nothing in it is taken for markup, a mention or a link. */
export const renderMarkdown = (report: Report): string =>
  [
    '## lock-doctor',
    '',
    ...describeTown(report, false).map(plain),
    '',
    ...findingTable(report),
    ...gapList(report),
    ...crashList(report),
    ...summaryLines(report),
  ]
    .map((line) => `${line}\n`)
    .join('');

const findingTable = ({ findings, town }: Report): readonly string[] =>
  findings.length === 0
    ? []
    : [
        '| | check | worker | finding | fix |',
        '|---|---|---|---|---|',
        ...worstFirst(findings).map(
          (finding) =>
            `| ${markOf(finding)} | ${plain(finding.check)} | ${code(nameOf(finding.worker ?? '.', town?.root))} | ${plain(finding.message)} | ${plain(describeFix(finding) ?? '')} |`,
        ),
        '',
      ];

const gapList = ({ gaps }: Report): readonly string[] =>
  gaps.length === 0
    ? []
    : ['Could not be checked:', '', ...gaps.map(({ what, why }) => `- ${code(what)}: ${plain(why)}`), ''];

const crashList = ({ checks }: Report): readonly string[] => {
  const crashed = checks.filter(({ status }) => status === 'crashed');
  return crashed.length === 0
    ? []
    : [
        'Crashed checks:',
        '',
        ...crashed.map(({ id, error }) => `- ${plain(id)}: ${plain(error ?? 'no message')}`),
        '',
      ];
};

const summaryLines = (report: Report): readonly string[] => {
  const { headline, steps } = summarize(report);
  return [
    `**${plain(headline)}**`,
    ...steps.flatMap(({ text, commands, more }) => [
      '',
      more > 0 ? text.replace(/:$/, ` (and ${more} more: doctor -v):`) : text,
      ...(commands.length === 0
        ? []
        : ['', '```sh', ...commands.map((command) => quoteCommand(command)), '```']),
    ]),
  ];
};

/** Text with every character that Markdown or HTML gives a meaning to made literal. */
const plain = (text: string): string =>
  escapeControls(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_{}[\]#+!|~>]/g, '\\$&')
    // A joiner after the sign keeps a name from becoming a mention, and a number from becoming a reference.
    .replaceAll('@', '@&#8203;')
    // Nor does an address become a link.
    .replaceAll('://', ':&#8203;//')
    .replace(/www\./gi, '$&&#8203;');

/** A code span; a fence longer than any run of backticks inside keeps it closed. In tables a bar ends the cell even there. */
const code = (text: string): string => {
  const safe = escapeControls(text).replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...safe.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${safe}${fence}` : `${fence} ${safe} ${fence}`;
};
