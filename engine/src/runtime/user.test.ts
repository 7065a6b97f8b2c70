import { expect, test } from 'vitest';
import { resolveUser } from './user.ts';

const accounts = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    '# a comment:x:1:1::/:',
    'broken:x:not-a-number:0::/:',
    '',
    'alice:x:1000:1001:Alice:/home/alice:/bin/sh',
    'alice:x:2000:2000:Second:/second:/bin/sh',
    '5000:x:7:7:A number for a name:/seven:/bin/sh',
    'homeless:x:8:8::',
  ].join('\n'),
  group: ['root:x:0:', 'wheel:x:10:root,alice', 'audio:x:29:alice', 'staff:x:50:'].join('\n'),
};
const nothing = { passwd: null, group: null };

test.each([
  ['', [], { uid: 0, gid: 0, additionalGids: [0, 10] }, '/root'],
  ['0', [], { uid: 0, gid: 0, additionalGids: [0, 10] }, '/root'],
  ['alice', [], { uid: 1000, gid: 1001, additionalGids: [1001, 10, 29] }, '/home/alice'],
  ['1000', ['staff', '77'], { uid: 1000, gid: 1001, additionalGids: [1001, 10, 29, 50, 77] }, '/home/alice'],
  ['alice:staff', [], { uid: 1000, gid: 50, additionalGids: [50] }, '/home/alice'],
  ['1234:5678', [], { uid: 1234, gid: 5678, additionalGids: [5678] }, '/'],
  ['1234', [], { uid: 1234, gid: 0, additionalGids: [0] }, '/'],
  ['5000', [], { uid: 5000, gid: 0, additionalGids: [0] }, '/'],
  ['homeless', [], { uid: 8, gid: 8, additionalGids: [8] }, '/'],
])('%j with groups %j', (asked, groupAdd, user, home) => {
  expect(resolveUser(asked, groupAdd, accounts)).toEqual({ user, home });
});

test('without accounts, numbers and root are all there is', () => {
  expect(resolveUser('', [], nothing)).toEqual({ user: { uid: 0, gid: 0, additionalGids: [0] }, home: '/' });
  expect(resolveUser('12:34', ['56'], nothing).user).toEqual({ uid: 12, gid: 34, additionalGids: [34, 56] });
});

test.each([
  ['bob', [], 'unable to find user bob: no matching entries in passwd file'],
  ['broken', [], 'unable to find user broken: no matching entries in passwd file'],
  ['alice:nogroup', [], 'unable to find group nogroup: no matching entries in group file'],
  ['alice', ['nogroup'], 'unable to find group nogroup: no matching entries in group file'],
  ['-1', [], 'uids and gids must be in range 0-2147483647'],
  ['4294967295', [], 'uids and gids must be in range 0-2147483647'],
])('%j with groups %j is refused', (asked, groupAdd, message) => {
  expect(() => resolveUser(asked, groupAdd, accounts)).toThrow(message);
});
