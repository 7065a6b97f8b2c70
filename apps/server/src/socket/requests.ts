// What each request of a tab does, by the names of the protocol. Payloads were checked; errors become sentences outside.
import type { Answers, RequestName, RequestOf } from '@drydock/protocol/events.ts';
import type { EngineClient } from '../engine-client/engine-client.ts';
import type { LearnerLab } from '../learner/learner-lab.ts';
import { reply, type Reply, type Tab } from '../learner/tab.ts';
import { LabError } from '../messages/messages.ts';

export interface Asking {
  tab: Tab;
  lab: LearnerLab;
  engine: EngineClient;
}

type Handler<N extends RequestName> = (asking: Asking, payload: RequestOf<N>) => Promise<Reply<Answers[N]>>;

/** Takes one costly action from the learner's allowance, or says how long to wait. */
function costly({ lab }: Asking): void {
  const waitMs = lab.costly.take();
  if (waitMs > 0) throw new LabError('tooFast', { seconds: Math.ceil(waitMs / 1000) });
}

export const handlers: { [N in RequestName]: Handler<N> } = {
  'step:open': async (asking, { track, lesson, step }) => {
    costly(asking);
    return asking.lab.open(asking.tab, track, lesson, step);
  },
  'step:reset': async (asking) => {
    costly(asking);
    return asking.lab.renew(asking.tab, 'restart');
  },
  'sandbox:reset': async (asking) => {
    costly(asking);
    return asking.lab.renew(asking.tab, 'reset');
  },
  'sandbox:extend': async ({ lab, tab }) => {
    await lab.keeper.extend();
    return reply(lab.keeper.status(tab.language));
  },
  'step:predict': async ({ lab, tab }, { option }) => reply(await lab.sessionOf(tab).predict(option)),
  'step:explain': async ({ lab, tab }, { option }) => reply(await lab.sessionOf(tab).explain(option)),
  'step:hint': async ({ lab, tab }, { index }) => reply(await lab.sessionOf(tab).hint(index)),
  'step:solution': async ({ lab, tab }) => reply(await lab.sessionOf(tab).solution()),
  'step:run': async ({ lab, tab }, { command, terminal }) => {
    lab.sessionOf(tab).requirePrediction();
    await lab.terminals.type(tab, terminal, command);
    return reply(null);
  },
  'terminal:list': async ({ lab, tab }) => {
    await lab.terminals.refresh();
    return reply(lab.terminals.list(tab.language));
  },
  'terminal:open': async (asking, size) => {
    costly(asking);
    return reply(await asking.lab.terminals.open(asking.tab.language, size));
  },
  'terminal:attach': ({ lab, tab }, { terminal, from, ...size }) => lab.terminals.attach(tab, terminal, from, size),
  'terminal:detach': async ({ lab, tab }, { terminal }) => {
    lab.terminals.detach(tab, terminal);
    return reply(null);
  },
  'terminal:close': async ({ lab }, { terminal }) => {
    await lab.terminals.close(terminal);
    return reply(null);
  },
  'file:list': async ({ lab, engine }, { path }) => {
    const entries = await engine.listDirectory(lab.keeper.id, path);
    return reply(entries.map(({ name, type }) => ({ name, type })));
  },
  'file:read': async ({ lab, engine }, { path }) => reply(await engine.readFile(lab.keeper.id, path)),
  'file:write': async ({ lab, engine }, file) => reply(await engine.writeFile(lab.keeper.id, file)),
  'scope:snapshot': async ({ lab, tab }) => {
    const session = lab.sessionOf(tab);
    return { value: () => session.snapshot };
  },
};
