// How jest is started here.

/** The words of Node's command line. */
export const JEST = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

/** Certificates that nobody needs here: reading them makes every start of Node twice as long, and the tests start thousands. */
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

export const ENVIRONMENT = environment;
