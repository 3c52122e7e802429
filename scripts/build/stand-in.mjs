// Stands in the bundle for what Ink asks for and we never use: no, and nothing.
export default false;
