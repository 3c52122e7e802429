/** The toolkit of all tests: towns on disk, processes and private tmux servers; `afterEach(cleanUp)` undoes everything. */
export * from './as-other-user.ts';
export * from './clean-up.ts';
export * from './dead-pid.ts';
export * from './processes.ts';
export * from './sockets.ts';
export * from './tmux.ts';
export * from './town.ts';
export * from './until.ts';
