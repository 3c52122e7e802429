// For jest's `--filter`: the tests that may run beside others.
module.exports = async (files) => {
  const { runsBesideOthers } = await import('./lanes.mjs');
  return { filtered: files.filter(runsBesideOthers) };
};
