/** PID files of any program; the configuration says where they lie. */
import { defineKind, readBareNumber } from '../src/kind.ts';

export default defineKind({
  id: 'pid-file',
  title: 'PID files',
  summary: 'Files whose first line is a PID, where lock-doctor.json says so.',
  where: { files: [] },
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (bytes, { name }) => readBareNumber(bytes, name),
  letGo: 'move-aside',
});
