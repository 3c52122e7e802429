// Replaces modules that Ink imports and we never use.
export default false;
