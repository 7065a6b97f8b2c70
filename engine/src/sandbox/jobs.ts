// Which verbs of the sandboxes are jobs of the X-ray record, and whom each is about.
import type { LabBackend } from '../api/lab/schemas.ts';
import type { JobNames } from '../xray/jobs.ts';

const id = (sandbox: string): string => sandbox;

export const SANDBOX_JOBS = {
  create: ['sandbox create', (request: { id: string }) => request.id],
  start: ['sandbox start', id],
  stop: ['sandbox stop', id],
  freeze: ['sandbox freeze', id],
  thaw: ['sandbox thaw', id],
  reset: ['sandbox reset', id],
  remove: ['sandbox remove', id],
  openTerminal: ['terminal open', id],
  closeTerminal: ['terminal close', id],
  exec: ['sandbox exec', id],
  writeFile: ['file write', id],
} as const satisfies JobNames<LabBackend>;
