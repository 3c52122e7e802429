/**
 * Runs before each test file. An ordinary user's private view shows processes that start elsewhere for a moment, but not where they
 * work (`scripts/verify/hide-newcomers.mjs`), and the doctor rightly calls the locks that they could hold unknown. So a test that
 * fails there is run again after the others of its file; its first failure is printed as well.
 */
import { jest } from '@jest/globals';

const { TEST_RETRIES } = process.env;
if (TEST_RETRIES !== undefined) jest.retryTimes(Number(TEST_RETRIES), { logErrorsBeforeRetry: true });
