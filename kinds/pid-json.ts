/** JSON locks of any program; the configuration says where they lie and what their fields mean. */
import { defineKind, readNumberField } from '../src/kind.ts';

export default defineKind({
  id: 'pid-json',
  title: 'JSON locks',
  summary: 'Files of JSON that name a process, where lock-doctor.json says so.',
  where: { files: [] },
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (bytes, { name, options: { pid = 'pid', start = '', since = '', hostname = '' } }) =>
    readNumberField(bytes, { pid, start, since, hostname, tool: name }),
  letGo: 'move-aside',
});
