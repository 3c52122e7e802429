// Replaces modules in the bundle that Ink imports and we never use.
export default false;
