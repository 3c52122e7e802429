/** A moment as the clock on the reader's wall shows it. */

const two = (number: number): string => String(number).padStart(2, '0');

/** `2026-11-29 18:02:51`, in the time zone of this process; the text itself if it is not a time. */
export const localTime = (rfc3339: string): string => {
  const date = new Date(rfc3339);
  if (Number.isNaN(date.getTime())) return rfc3339;
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
};
