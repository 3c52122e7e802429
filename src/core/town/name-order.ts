/** The one order in which names are listed: as people count, `w2` before `w10`. Pure, and the same on every machine. */
import { isDigitAt } from '../digits.ts';

/**
 * Compares for `sort`. Numbers in the names by their value, everything else by code units; 0 for equal names only. A directory
 * comes before what lies in it.
 */
export const byName = (one: string, other: string): number => {
  let at = 0;
  while (at < one.length && at < other.length && one.charCodeAt(at) === other.charCodeAt(at)) at += 1;
  while (at > 0 && isDigitAt(one, at - 1)) at -= 1;
  if (isDigitAt(one, at) && isDigitAt(other, at)) {
    const [ends, otherEnds] = [endOfDigits(one, at), endOfDigits(other, at)];
    const [start, otherStart] = [endOfZeros(one, at, ends), endOfZeros(other, at, otherEnds)];
    // Of numbers without zeros in front the longer one is greater.
    const byValue =
      ends - start - (otherEnds - otherStart) ||
      plainly(one.slice(start, ends), other.slice(otherStart, otherEnds));
    if (byValue !== 0) return byValue;
    if (ends !== otherEnds) return ends - otherEnds;
  }
  return plainly(one, other);
};

/** By code units. */
const plainly = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

const endOfDigits = (text: string, from: number): number => {
  let at = from;
  while (isDigitAt(text, at)) at += 1;
  return at;
};

const endOfZeros = (text: string, from: number, end: number): number => {
  let at = from;
  while (at < end && text.charCodeAt(at) === 0x30) at += 1;
  return at;
};
