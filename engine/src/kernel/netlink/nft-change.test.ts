import { describe, expect, test } from 'vitest';
import { EngineError } from '../../model/engine-error.ts';
import { encodeChange, type Change, type SetSettings } from './nft-change.ts';
import { drop } from './nft-expression.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const recorded = (text: string): string => text.replaceAll(/\s/g, '');

const INTERVALS: SetSettings = { name: 'i', key: 'ipv4_addr', intervals: true };
const payload = (change: Change): string => hex(encodeChange('t', change).payload);

describe('messages as nft 1.0.6 sends them', () => {
  test('a set of link names', () => {
    expect(payload({ add: 'set', set: { name: 's', key: 'ifname', stateful: true } })).toBe(
      recorded(`01000000 0600010074000000 0600020073000000 0800030000000020 0800040000000029
                0800050000000010 08000a0000000001 0a000d00000401000000 0000`),
    );
  });

  test('a set of intervals', () => {
    expect(payload({ add: 'set', set: INTERVALS })).toBe(
      recorded(`01000000 0600010074000000 0600020069000000 0800030000000004 0800040000000007
                0800050000000004 08000a0000000001 0a000d00000402000000 0000`),
    );
  });

  test('an interval, its end, and one that has none', () => {
    const element = (...attributes: string[]): string => {
      const body = attributes.join('');
      return `${(body.length / 2 + 4).toString(16).padStart(2, '0')}000180${body}`;
    };
    const key = (address: string): string => `0c00018008000100${address}`;
    const list = [element(key('0a000000')), element('0800030000000001', key('0b000000')), element(key('ff000000'))].map(
      recorded,
    );
    const length = list.join('').length / 2 + 4;
    expect(
      payload({ add: 'elements', set: INTERVALS, elements: [{ key: '10.0.0.0/8' }, { key: '255.0.0.0/8' }] }),
    ).toBe(recorded(`01000000 0600010074000000 0600020069000000 ${length.toString(16)}000380 ${list.join('')}`));
  });

  test('a table, created or deleted', () => {
    expect(encodeChange('t', { add: 'table' })).toMatchObject({ type: 0x0a00, flags: 0x600 });
    expect(payload({ add: 'table' })).toBe('01000000060001007400000008000200 00000000'.replace(' ', ''));
    expect(encodeChange('t', { delete: 'table' })).toMatchObject({ type: 0x0a02, flags: 0 });
  });

  test('a rule with its comment', () => {
    // immediate reg 0 drop; user data of type 0: "why" and its NUL.
    expect(payload({ add: 'rule', chain: 'c', terms: [drop], comment: 'why' })).toBe(
      recorded(`01000000 0600010074000000 0600020063000000
                34000480 30000180 0e000100696d6d656469617465000000 1c000280 0800010000000000
                10000280 0c000280 0800010000000000
                0a000700 000477687900 0000`),
    );
  });
});

test('keys that are none are refused before anything is sent', () => {
  for (const key of ['10.0.0.0/33', '300.0.0.0', '::1', 'x'])
    expect(() => payload({ add: 'elements', set: INTERVALS, elements: [{ key }] })).toThrow(EngineError);
});
