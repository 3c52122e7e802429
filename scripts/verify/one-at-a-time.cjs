// For jest's `--filter`: the tests that start processes or tmux servers.
module.exports = async (files) => {
  const { runsBesideOthers } = await import('./lanes.mjs');
  return { filtered: files.filter((file) => !runsBesideOthers(file)) };
};
