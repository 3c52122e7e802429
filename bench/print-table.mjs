/** Prints medians and ratios with their bars to stderr. */
export const printTable = ({
  town,
  rounds,
  fidelity,
  medians,
  rows,
  notMeasured,
  loadAtStart,
  hasIdleCore,
}) => {
  const out = (line) => process.stderr.write(`${line}\n`);
  out(`\n${town} town, ${fidelity.directories} directories, ${fidelity.locks} locks, ${rounds} rounds`);
  out(
    fidelity.equal
      ? 'every scanner finds the same locks as find'
      : `DIFFERENT LOCKS FROM FIND: ${fidelity.different.join('; ')}`,
  );
  if (!hasIdleCore)
    out(`no core was idle (load ${loadAtStart.toFixed(1)}): bars that require one do not apply`);
  out('');
  for (const [name, value] of Object.entries(medians))
    out(`${name.padEnd(52)}${value.toFixed(1).padStart(10)}`);
  out(`\n${''.padEnd(52)}${'measured'.padStart(10)}${'bar'.padStart(8)}${'goal'.padStart(8)}`);
  for (const { name, value, bar, goal, unit, ok } of rows) {
    const measured = value === null ? 'not measured' : `${value.toFixed(3)}${unit}`;
    const unclear = bar !== null && value !== null ? '  unclear' : '';
    const verdict = ok === null ? unclear : ok ? '  ok' : '  MISSED';
    out(
      `${name.padEnd(48)}${measured.padStart(14)}${String(bar ?? '–').padStart(8)}${String(goal ?? '–').padStart(8)}${verdict}`,
    );
  }
  if (notMeasured.length > 0) out('\nnot measured, or not often enough:');
  for (const line of notMeasured) out(`  ${line}`);
};

/** Prints what was measured of two trees, in the unit of each row, and the median of the ratios of each round. */
export const printComparison = (tree, rows) => {
  const out = (line) => process.stderr.write(`${line}\n`);
  out(`\ncompared with ${tree}: first quartiles, and the median ratio of the rounds`);
  out(`${''.padEnd(40)}${'here'.padStart(10)}${'there'.padStart(10)}${'ratio'.padStart(8)}`);
  for (const { name, here, there, ratio } of rows)
    out(
      `${name.padEnd(40)}${here.toFixed(1).padStart(10)}${there.toFixed(1).padStart(10)}${ratio.toFixed(3).padStart(8)}`,
    );
};
