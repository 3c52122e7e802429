// For jest's `--filter`: the tests of the lane that TEST_LANE names.
module.exports = async (files) => {
  const { laneOf } = await import('./lanes.mjs');
  return { filtered: files.filter((file) => laneOf(file) === process.env.TEST_LANE) };
};
