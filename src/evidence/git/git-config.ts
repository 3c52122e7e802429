/** Reads git's configuration files by git's own grammar (`config.c`). Pure. */

/** A section's head, with its subsection: `[core]`, `[branch "main"]`, `[branch.main]`. */
const HEAD = /[ \t\n]*\[([A-Za-z0-9.-]+)(?:[ \t]+"((?:[^"\\\n]|\\.)*)")?\]/y;
const NAME = /[ \t\n]*([A-Za-z][A-Za-z0-9-]*)[ \t]*(=?)/y;
const COMMENT = /[ \t\n]*[#;][^\n]*/y;

/** The last value of this variable, which has no subsection; true where it has no value, null where it is not set. */
export const settingIn = (text: string, section: string, name: string): string | true | null => {
  const lines = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  let isIn = false;
  let found: string | true | null = null;
  for (let at = 0; ; ) {
    const next = (form: RegExp): RegExpExecArray | null => {
      form.lastIndex = at;
      const match = form.exec(lines);
      if (match !== null) at = form.lastIndex;
      return match;
    };
    if (next(COMMENT) !== null) continue;
    const head = next(HEAD);
    if (head !== null) {
      isIn = head[1]?.toLowerCase() === section && head[2] === undefined;
      continue;
    }
    const variable = next(NAME);
    // The end, or a mistake, at which git gives up as well.
    if (variable === null) return found;
    const [value, end] = variable[2] === '' ? [true as const, at] : valueAt(lines, at);
    at = end;
    if (isIn && variable[1]?.toLowerCase() === name) found = value;
  }
};

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' };

/** The value that begins there, and where it ends. Blanks around it, and a comment behind it, do not belong to it. */
const valueAt = (text: string, start: number): readonly [value: string, end: number] => {
  let value = '';
  let blanks = '';
  let isQuoted = false;
  let at = start;
  for (; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\n') break;
    if (!isQuoted && /[#;]/.test(character)) break;
    if (!isQuoted && /[ \t]/.test(character)) {
      if (value !== '') blanks += character;
      continue;
    }
    value += blanks;
    blanks = '';
    if (character === '"') isQuoted = !isQuoted;
    else if (character === '\\') {
      at += 1;
      const escaped = text[at] ?? '';
      if (escaped !== '\n') value += ESCAPED[escaped] ?? escaped;
    } else value += character;
  }
  return [value, at];
};
