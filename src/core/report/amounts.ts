/** An age in a fitting unit: `45 s`, `12 min`, `8 h`, `3 d`. Negative ages are in the future. */
export const describeAge = (seconds: number): string => {
  const size = Math.abs(seconds);
  const text =
    size < 100
      ? `${Math.round(size)} s`
      : size < 6000
        ? `${Math.round(size / 60)} min`
        : size < 172_800
          ? `${Math.round(size / 3600)} h`
          : `${Math.round(size / 86_400)} d`;
  return seconds < 0 ? `${text} in the future` : text;
};
