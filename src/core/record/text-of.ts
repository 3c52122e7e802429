/** The bytes of a small file as one line of text, for people. */

/** Longest text that is shown of a reason or a name. */
const MAX_CHARACTERS = 300;

/** Made by the first text: most runs read none. */
let decoder: InstanceType<typeof TextDecoder> | null = null;

/** Without line breaks at its end, on one line, and cut where it is too long. Bytes that are not UTF-8 appear as U+FFFD. */
export const textOf = (bytes: Uint8Array): string => {
  decoder ??= new TextDecoder();
  const text = decoder
    .decode(bytes.subarray(0, MAX_CHARACTERS * 4))
    .replace(/\s+/g, ' ')
    .trim();
  if (text.length <= MAX_CHARACTERS) return text;
  const characters = [...text];
  return characters.length <= MAX_CHARACTERS ? text : `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`;
};
