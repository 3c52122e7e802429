import { expect, test } from '@jest/globals';
import { guardedFiles } from '../../src/repair/batches/guard-of.ts';
import { contextOf } from '../../src/repair/repair-context.ts';

test.each([
  ['/town/ada/.runtime/agent.lock', '/town/ada/.runtime/agent.lock.flock'],
  ['/town/ada/.gastown/agent.lock', '/town/ada/.gastown/agent.lock.flock'],
  // Of a plug-in's kind, whose files are named alike.
  ['/town/ada/.acme/agent.lock', '/town/.runtime/lock-doctor/guard.flock'],
  ['/town/.git/index.lock', '/town/.runtime/lock-doctor/guard.flock'],
])('%s is changed under %s', (lock, guard) => {
  expect(guardedFiles(lock, contextOf({ townRoot: '/town' }))).toMatchObject({ lock, guard });
});
