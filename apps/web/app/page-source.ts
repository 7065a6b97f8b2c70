// Where the server components get their data: apps/server puts a PageSource on globalThis before it starts Next.
import { headers } from 'next/headers';
import type { PageSource } from '@drydock/protocol/pages.ts';
import { LEARNER_HEADER } from '@drydock/protocol/session.ts';

declare global {
  var __drydockPages: PageSource | undefined;
}

/** The data source and who is asking. Throws when the app was started without the lab server. */
export async function pageSource(): Promise<{ pages: PageSource; learner: string }> {
  const learner = (await headers()).get(LEARNER_HEADER) ?? '';
  const pages = globalThis.__drydockPages;
  if (!pages)
    throw new Error('Cannot show a page: no PageSource is set. Start the lab with `npm start`, not with `next start`.');
  return { pages, learner };
}
