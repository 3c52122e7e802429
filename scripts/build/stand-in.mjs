// Replaces modules that Ink and yargs import and we never use.
export default false;
