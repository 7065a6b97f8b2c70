import { expect, it } from 'vitest';
import { instancePaths } from './paths.mjs';
import { unitFacts, unitSuffix } from './service.mjs';
import { engineUnit, engineUnitName, labUnit, labUnitName } from './units.mjs';

const paths = instancePaths({ DRYDOCK_ROOT: '/srv/a "b" 100%', DRYDOCK_RUN: '/run/other' });
const facts = unitFacts(paths, { host: '127.0.0.1', port: 3100 }, { gid: 995 });

it('gives the usual instance plain names and every other a pair of its own', () => {
  expect(unitSuffix(instancePaths({}))).toBe('');
  expect(engineUnitName(facts)).toMatch(/^drydock-engine-[0-9a-f]{6}\.service$/);
  expect(labUnitName(facts)).toBe(engineUnitName(facts).replace('engine', 'lab'));
});

it('keeps sandboxes alive when the engine’s unit stops, and leaves its control groups to it', () => {
  const unit = engineUnit(facts);
  expect(unit).toMatch(/^KillMode=process$/m);
  expect(unit).toMatch(/^Delegate=yes$/m);
  expect(unit).toMatch(/^Environment="DRYDOCK_LAB_GID=995"$/m);
});

it('quotes what a unit would read as something else', () => {
  expect(engineUnit(facts)).toContain('Environment="DRYDOCK_ROOT=/srv/a \\"b\\" 100%%"');
});

it('runs the server without rights, with the code where its user can read it', () => {
  const unit = labUnit(facts);
  for (const line of [
    'User=drydock-lab',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'ProtectSystem=strict',
    'Environment="PORT=3100"',
  ]) {
    expect(unit.split('\n')).toContain(line);
  }
  expect(unit).toMatch(/^BindReadOnlyPaths=".*\/apps:\/opt\/drydock\/apps"$/m);
  expect(unit).toMatch(/^BindReadOnlyPaths="\/run\/other:\/run\/drydock"$/m);
  expect(unit).toContain('BindPaths="/srv/a \\"b\\" 100%%-lab:/var/lib/drydock-lab"');
});
