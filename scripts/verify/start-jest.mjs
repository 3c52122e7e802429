// How jest is started.

/** The arguments of Node. */
export const JEST = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

/** Without extra certificates, which are not needed: reading them doubles the start of Node, and the tests start it thousands of times. */
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

export const ENVIRONMENT = environment;
